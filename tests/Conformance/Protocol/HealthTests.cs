using Cluster.Conformance.Support;
using Grpc.Health.V1;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Protocol;

/// <summary><c>grpc.health.v1</c>.</summary>
public sealed class HealthTests(ServerFixture fixture) : ServerTests(fixture)
{
    [Theory]
    [InlineData("python", "")]
    [InlineData("node", "")]
    [InlineData("python", "inference.GRPCInferenceService")]
    [InlineData("node", "inference.GRPCInferenceService")]
    public async Task Check_KnownService_Serves(string client, string service)
    {
        var result = await Fixture.Client(client).UnaryAsync<HealthCheckResponse>(
            Target, "grpc.health.v1.Health/Check", new HealthCheckRequest { Service = service });
        Assert.Equal("OK", result.Code);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, result.Response!.Status);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Check_UnknownService_IsNotFound(string client)
    {
        var result = await Fixture.Client(client).UnaryAsync<HealthCheckResponse>(
            Target, "grpc.health.v1.Health/Check", new HealthCheckRequest { Service = "nosuch" });
        Assert.Equal("NOT_FOUND", result.Code);
    }

    [Theory]
    [InlineData("python", "", HealthCheckResponse.Types.ServingStatus.Serving)]
    [InlineData("node", "nosuch", HealthCheckResponse.Types.ServingStatus.ServiceUnknown)]
    public async Task Watch_AnyService_TellsItsStateAtOnceAndStaysOpen(string client, string service, HealthCheckResponse.Types.ServingStatus expected)
    {
        var watch = Fixture.Client(client).StartServerStream<HealthCheckResponse>(
            Target, "grpc.health.v1.Health/Watch", new HealthCheckRequest { Service = service });
        Assert.Equal(expected, Assert.Single(await watch.AwaitResponsesAsync(1, Wait.Limit)).Status);
        Assert.False(watch.Completion.IsCompleted);
        await watch.CancelAsync();
        Assert.Equal("CANCELLED", (await watch.Completion.Soon()).Code);
    }
}
