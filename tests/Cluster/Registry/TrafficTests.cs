using System.Text;
using System.Text.Json;
using Cluster.ClusterTests.Support;
using Cluster.Contracts.Errors;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Registry;

/// <summary>Traffic rules of aliases at two gateways.</summary>
[Collection(RoomyCluster.Name)]
public sealed class TrafficTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    [Fact]
    public async Task Rule_SetAtOneGateway_HoldsAtTheOther()
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "model", 2, OnnxModels.Small, OneCopy);
        var alias = cluster.Named("alias");
        await cluster.Client(0).SetAliasAsync(alias, models[0].Model);

        await PostAsync(cluster, 0, alias, "set?wait=true", $$"""{"candidate":"{{models[1].Model}}","percent":100}""");
        await cluster.AnswersAsync(cluster.Client(1), alias, 2, Patience);
        await PostAsync(cluster, 1, alias, "rollback", "");
        await cluster.AnswersAsync(cluster.Client(0), alias, 1, Patience);
    }

    /// <summary>The gateway that measures goes on without the candidate at once, and the others once Redis is back.</summary>
    [Fact]
    public async Task CandidateThatFails_WhileRedisIsAway_IsRolledBackAllTheSame()
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "model", 1, OnnxModels.Small, OneCopy);
        var (alias, failing) = (cluster.Named("alias"), cluster.Named("failing"));
        cluster.Registered.Put(failing, OnnxModels.FailsToRun());
        await cluster.Client(0).RegisterAsync(failing, load: true);
        await cluster.Client(0).SetAliasAsync(alias, models[0].Model);
        await PostAsync(cluster, 0, alias, "set?wait=true", $$"""{"candidate":"{{failing}}","percent":100,"min_requests":3}""");
        await cluster.UntilAsync(async () => (await StateAsync(cluster, 1, alias)).State == "active", Patience);
        await cluster.Redis.StopAsync();

        var failed = 0;
        var answer = await cluster.Client(1).InferAsync(alias, Patience);
        for (; !answer.IsOk && failed < 20; failed++)
        {
            Assert.Equal(StatusCode.Internal, answer.Status);
            answer = await cluster.Client(1).InferAsync(alias, Patience);
        }

        AssertOk(answer, 1);
        Assert.Equal(3, failed);
        Assert.Equal(StatusCode.Internal, (await cluster.Client(0).InferAsync(alias, Patience)).Status);

        await cluster.Redis.StartAsync();
        var time = await cluster.UntilAsync(async () => (await StateAsync(cluster, 0, alias)).State == "rolled_back", TimeSpan.FromSeconds(20));
        AssertOk(await cluster.Client(0).InferAsync(alias, Patience), 1);
        Output.WriteLine($"told {time.TotalSeconds:0.0} s after Redis was back: {(await StateAsync(cluster, 0, alias)).Reason}");
    }

    /// <summary>Changes a rule, at the gateway of that number.</summary>
    internal static async Task PostAsync(TestCluster cluster, int gateway, string alias, string verb, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await cluster.Http.PostAsync(new Uri($"{cluster.Gateways[gateway].HttpUrl}/v2/aliases/{alias}/traffic/{verb}"), content);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<(string? State, string? Reason)> StateAsync(TestCluster cluster, int gateway, string alias)
    {
        using var answer = JsonDocument.Parse(await cluster.Http.GetStringAsync(new Uri($"{cluster.Gateways[gateway].HttpUrl}/v2/aliases")));
        var row = answer.RootElement.GetProperty("aliases").EnumerateArray().FirstOrDefault(row => row.GetProperty("alias").GetString() == alias);
        if (row.ValueKind != JsonValueKind.Object || !row.TryGetProperty("traffic", out var traffic))
        {
            return default;
        }

        return (traffic.GetProperty("state").GetString(), traffic.TryGetProperty("rolled_back", out var end) ? end.GetProperty("reason").GetString() : null);
    }
}
