using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol.Reflection.V1;
using Cluster.Gateway.Grpc.Reflection;
using Google.Protobuf.Reflection;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class ReflectionServiceTests
{
    private const string V1 = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    private const string V1Alpha = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

    [Theory]
    [InlineData(V1)]
    [InlineData(V1Alpha)]
    public async Task ListServices_BothVersions_NamesEveryMappedService(string path)
    {
        var response = await AskAsync(new ServerReflectionRequest { Host = "h", ListServices = "*" }, path);

        Assert.Equal(
            ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "inference.GRPCInferenceService"],
            response.ListServicesResponse.Service.Select(service => service.Name));
        Assert.Equal("h", response.ValidHost);
        Assert.Equal("h", response.OriginalRequest.Host);
    }

    [Theory]
    [InlineData("inference.GRPCInferenceService", "inference.proto")]
    [InlineData("inference.GRPCInferenceService.ModelInfer", "inference.proto")]
    [InlineData("inference.ModelInferRequest", "inference.proto")]
    [InlineData("inference.ModelInferRequest.InferInputTensor", "inference.proto")]
    [InlineData("inference.DataType", "model_config.proto")]
    [InlineData("grpc.reflection.v1alpha.ErrorResponse", "reflection_v1alpha.proto")]
    public async Task FileContainingSymbol_KnownSymbol_GivesItsFileAndWhatItImports(string symbol, string file)
    {
        var response = await AskAsync(new ServerReflectionRequest { FileContainingSymbol = symbol });

        var files = Files(response);
        Assert.Equal(file, files[0].Name);
        Assert.All(files.SelectMany(item => item.Dependency), dependency => Assert.Contains(files, item => item.Name == dependency));
    }

    [Fact]
    public async Task FileByFilename_FileWithImports_GivesThemToo()
    {
        var response = await AskAsync(new ServerReflectionRequest { FileByFilename = "inference.proto" });

        Assert.Equal(["inference.proto", "model_config.proto"], Files(response).Select(file => file.Name));
    }

    [Fact]
    public async Task UnknownThings_AreErrorsInTheAnswerAndTheStreamStaysOpen()
    {
        ServerReflectionRequest[] requests =
        [
            new() { FileByFilename = "nope.proto" },
            new() { FileContainingSymbol = "no.Such" },
            new() { FileContainingExtension = new ExtensionRequest { ContainingType = "inference.ModelInferRequest", ExtensionNumber = 9 } },
            new() { AllExtensionNumbersOfType = "no.Such" },
            new(),
            new() { AllExtensionNumbersOfType = "inference.ModelInferRequest" },
        ];
        await using var server = await StartAsync();

        var reply = await server.CallAsync(V1, [.. requests.SelectMany(request => Frame(request))]);

        Assert.Equal(StatusCode.Ok, reply.Status);
        var responses = reply.Messages.Select(message => ServerReflectionResponse.Parser.ParseFrom(message.Bytes)).ToArray();
        Assert.Equal([5, 5, 5, 5, 3], responses[..5].Select(response => response.ErrorResponse.ErrorCode));
        Assert.Equal(requests, responses.Select(response => response.OriginalRequest));
        Assert.Empty(responses[5].AllExtensionNumbersResponse.ExtensionNumber);
    }

    [Fact]
    public async Task ServerStops_IdleStream_Ends()
    {
        await using var server = await StartAsync();
        var body = new DuplexContent();
        var pending = server.SendAsync(V1, body, default);
        await body.WriteAsync(Frame(new ServerReflectionRequest { ListServices = "" }));
        using var response = await pending.WaitAsync(GrpcTestServer.Patience);

        await server.StopAsync().WaitAsync(GrpcTestServer.Patience);

        try
        {
            Assert.Equal(StatusCode.Unavailable, (await ReadAsync(response)).Status);
        }
        catch (HttpRequestException exception) when (exception.InnerException is HttpProtocolException { ErrorCode: 0 })
        {
            // Kestrel closed the connection before the trailers of the half-open call were written: UNAVAILABLE to a gRPC client as well.
        }
    }

    private static async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request, string path = V1)
    {
        await using var server = await StartAsync();
        var reply = await server.CallAsync(path, Frame(request));
        Assert.Equal(StatusCode.Ok, reply.Status);
        return ServerReflectionResponse.Parser.ParseFrom(reply.Single);
    }

    private static FileDescriptorProto[] Files(ServerReflectionResponse response) =>
        [.. response.FileDescriptorResponse.FileDescriptorProto.Select(FileDescriptorProto.Parser.ParseFrom)];

    private static Task<GrpcTestServer> StartAsync() => GrpcTestServer.StartAsync(_ => { }, map: app => app.MapGrpcReflection());
}
