using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol.Health;
using Cluster.Gateway.Grpc.Health;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;
using ServingStatus = Cluster.Contracts.Protocol.Health.HealthCheckResponse.Types.ServingStatus;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class HealthServiceTests
{
    private const string Check = "/grpc.health.v1.Health/Check";
    private const string Watch = "/grpc.health.v1.Health/Watch";

    private readonly ServingStatusBoard _board = new();

    [Theory]
    [InlineData(true, ServingStatus.Serving)]
    [InlineData(false, ServingStatus.NotServing)]
    public async Task Check_KnownService_TellsItsStatus(bool serving, ServingStatus expected)
    {
        _board.Set("", serving);
        await using var server = await StartAsync();

        var reply = await server.CallAsync(Check, Frame(new HealthCheckRequest()));

        Assert.Equal(expected, HealthCheckResponse.Parser.ParseFrom(reply.Single).Status);
    }

    [Fact]
    public async Task Check_UnknownService_IsNotFound()
    {
        await using var server = await StartAsync();

        var reply = await server.CallAsync(Check, Frame(new HealthCheckRequest { Service = "nope" }));

        Assert.Equal((StatusCode.NotFound, "unknown service 'nope'"), (reply.Status, reply.Message));
    }

    [Fact]
    public async Task Watch_StatusChanges_TellsEachUntilTheServerStops()
    {
        await using var server = await StartAsync();
        using var response = await server.SendAsync(Watch, new ByteArrayContent(Frame(new HealthCheckRequest { Service = "s" })), default);
        var stream = await response.Content.ReadAsStreamAsync();

        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync(stream));
        _board.Set("s", true);
        Assert.Equal(ServingStatus.Serving, await NextAsync(stream));
        _board.Set("other", false);
        _board.Set("s", true);
        _board.Set("s", false);
        Assert.Equal(ServingStatus.NotServing, await NextAsync(stream));

        await server.StopAsync().WaitAsync(GrpcTestServer.Patience);
        Assert.Equal(0, await stream.ReadAsync(new byte[1]));
        Assert.Equal("14", Assert.Single(response.TrailingHeaders.GetValues("grpc-status")));
    }

    private static async Task<ServingStatus> NextAsync(Stream stream)
    {
        var prefix = new byte[5];
        await stream.ReadExactlyAsync(prefix).AsTask().WaitAsync(GrpcTestServer.Patience);
        var message = new byte[prefix[4]];
        await stream.ReadExactlyAsync(message).AsTask().WaitAsync(GrpcTestServer.Patience);
        return HealthCheckResponse.Parser.ParseFrom(message).Status;
    }

    private Task<GrpcTestServer> StartAsync() => GrpcTestServer.StartAsync(
        _ => { }, map: app => app.MapGrpcHealth(), services: services => services.AddSingleton<IServingStatus>(_board));
}
