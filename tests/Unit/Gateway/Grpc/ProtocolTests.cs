using System.Net;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Grpc;
using Microsoft.AspNetCore.Http;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class ProtocolTests
{
    [Theory]
    [InlineData("application/json", 415)]
    [InlineData("application/grpc+json", 415)]
    [InlineData("application/grpc-web", 415)]
    [InlineData(null, 415)]
    public async Task Post_OtherContentType_IsRefusedByHttp(string? contentType, int status)
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", UnaryCallTests.Echo));
        using var body = new ByteArrayContent(Frame([1]));
        body.Headers.TryAddWithoutValidation("content-type", contentType);
        using var request = new HttpRequestMessage(HttpMethod.Post, GrpcTestServer.Infer)
        {
            Content = body,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var response = await server.Client.SendAsync(request);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.False(response.Headers.Contains("grpc-status"));
    }

    [Theory]
    [InlineData("application/grpc")]
    [InlineData("application/grpc+proto")]
    [InlineData("Application/GRPC; charset=utf-8")]
    public async Task Post_GrpcContentType_IsServed(string contentType)
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", UnaryCallTests.Echo));
        var body = new ByteArrayContent(Frame([1]));
        body.Headers.TryAddWithoutValidation("content-type", contentType);

        var reply = await server.CallAsync(GrpcTestServer.Infer, body);

        Assert.Equal(StatusCode.Ok, reply.Status);
    }

    [Fact]
    public async Task Put_GrpcContentType_IsMethodNotAllowed()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", UnaryCallTests.Echo));
        using var request = new HttpRequestMessage(HttpMethod.Put, GrpcTestServer.Infer)
        {
            Content = new ByteArrayContent(Frame([1])),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");

        using var response = await server.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal("POST", Assert.Single(response.Content.Headers.Allow));
    }

    [Fact]
    public void Refusal_Http11_AsksForAnUpgrade()
    {
        var request = new DefaultHttpContext().Request;
        request.Method = "POST";
        request.ContentType = "application/grpc";
        request.Protocol = "HTTP/1.1";

        Assert.Equal(426, GrpcProtocol.Refusal(request));
    }

    [Theory]
    [InlineData("/inference.GRPCInferenceService/NoSuchMethod")]
    [InlineData("/no.Such.Service/Method")]
    [InlineData("/")]
    [InlineData("/a/b/c")]
    public async Task UnknownPath_GrpcCall_IsUnimplementedNamingThePath(string path)
    {
        await using var server = await GrpcTestServer.StartAsync(_ => { });

        var reply = await server.CallAsync(path, Frame([1]));

        Assert.True(reply.TrailersOnly);
        Assert.Equal((HttpStatusCode.OK, StatusCode.Unimplemented), (reply.Http, reply.Status));
        Assert.Equal($"{path} is not implemented", reply.Message);
    }

    [Fact]
    public async Task UnknownPath_OtherContent_IsNotFound()
    {
        await using var server = await GrpcTestServer.StartAsync(_ => { });

        using var response = await server.Client.GetAsync(new Uri("/v2/models", UriKind.Relative));

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task KnownMethod_WithoutHandler_IsUnimplemented()
    {
        await using var server = await GrpcTestServer.StartAsync(_ => { });

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame([1]));

        Assert.Equal((StatusCode.Unimplemented, $"{GrpcTestServer.Infer} is not implemented"), (reply.Status, reply.Message));
    }

    [Fact]
    public async Task KnownMethod_DeclaredUnimplemented_ExplainsWhy()
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.Unimplemented("TraceSetting", "use OpenTelemetry"));

        var reply = await server.CallAsync(GrpcTestServer.Service + "TraceSetting", Frame([1]));

        Assert.Equal(StatusCode.Unimplemented, reply.Status);
        Assert.EndsWith("is not implemented: use OpenTelemetry", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Builder_WrongNames_AreRefusedAtStart()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => GrpcTestServer.StartAsync(service => service.RawUnary("Nope", UnaryCallTests.Echo)));
        await Assert.ThrowsAsync<ArgumentException>(
            () => GrpcTestServer.StartAsync(service => service.RawUnary("ModelStreamInfer", UnaryCallTests.Echo)));
        await Assert.ThrowsAsync<ArgumentException>(() => GrpcTestServer.StartAsync(
            service => service.RawUnary("ModelInfer", UnaryCallTests.Echo).RawUnary("ModelInfer", UnaryCallTests.Echo)));
    }

    [Theory]
    [InlineData("5")]
    [InlineData("soon")]
    public async Task Timeout_Malformed_IsInvalidArgument(string timeout)
    {
        await using var server = await GrpcTestServer.StartAsync(service => service.RawUnary("ModelInfer", UnaryCallTests.Echo));

        var reply = await server.CallAsync(GrpcTestServer.Infer, Frame([1]), ("grpc-timeout", timeout));

        Assert.Equal(StatusCode.InvalidArgument, reply.Status);
        Assert.Contains($"'{timeout}'", reply.Message, StringComparison.Ordinal);
    }
}
