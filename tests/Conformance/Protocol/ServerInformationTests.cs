using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Xunit;

namespace Cluster.Conformance.Protocol;

/// <summary>Liveness, readiness and the server's metadata.</summary>
public sealed class ServerInformationTests(ServerFixture fixture) : ServerTests(fixture)
{
    private static readonly string[] Extensions =
        ["classification", "model_repository", "model_configuration", "binary_tensor_data", "parameters", "statistics"];

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Server_Started_IsLiveAndReady(string client)
    {
        Assert.True((await CallAsync<ServerLiveResponse>(client, "ServerLive", new ServerLiveRequest())).Response!.Live);
        Assert.True((await CallAsync<ServerReadyResponse>(client, "ServerReady", new ServerReadyRequest())).Response!.Ready);
        var live = await GetAsync(client, "/v2/health/live");
        Assert.Equal(200, live.Status);
        Assert.Equal("application/json", live.Headers["content-type"]);
        Assert.True(live.Json.GetProperty("live").GetBoolean());
        var ready = await GetAsync(client, "/v2/health/ready");
        Assert.Equal(200, ready.Status);
        Assert.True(ready.Json.GetProperty("ready").GetBoolean());
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ServerMetadata_ByBothProtocols_HasNameVersionAndExtensions(string client)
    {
        var grpc = (await CallAsync<ServerMetadataResponse>(client, "ServerMetadata", new ServerMetadataRequest())).Response!;
        Assert.Equal("cluster", grpc.Name);
        Assert.NotEqual("", grpc.Version);
        Assert.Equal(Extensions, grpc.Extensions);
        foreach (var path in new[] { "/v2", "/v2/", "/v2?test_1=1&test_2=2" })
        {
            var rest = (await GetAsync(client, path)).Json;
            Assert.Equal(grpc.Name, rest.GetProperty("name").GetString());
            Assert.Equal(grpc.Version, rest.GetProperty("version").GetString());
            Assert.Equal(Extensions, rest.GetProperty("extensions").EnumerateArray().Select(static extension => extension.GetString()));
        }
    }
}
