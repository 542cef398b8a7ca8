using Cluster.ClusterTests.Support;
using Cluster.Contracts.Errors;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Failures;

/// <summary>One request takes down each silo that runs it: the test kills the silo that has it, which to the cluster is the same.</summary>
[Collection(RoomyCluster.Name)]
public sealed class QuarantineTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    /// <summary>A run takes longer than it takes to see it in the metrics and to kill its silo.</summary>
    private const int Products = 8000;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task RequestThatTakesDownTwoSilos_IsNotSentToTheThirdAndItsModelIsQuarantined()
    {
        var cluster = await ClusterAsync();
        var deadly = (await RegisterAsync(cluster, "deadly", 1, static number => OnnxModels.SlowToRun(number, Products), TwoCopies))[0].Model;
        var steady = await RegisterAsync(cluster, "steady", 2, OnnxModels.Small);

        // Through the same gateway: one does not know of another's suspects, and may send its own to a silo beside them.
        await using var load = await OpenLoad.StartAsync(new OneGateway(cluster.GrpcTargets.Take(1).ToList()), steady, rate: 50);
        var client = cluster.Client(0);

        var killing = client.InferAsync(deadly, Deadline);
        for (var victims = 0; victims < 2; victims++)
        {
            ClusterProcess? running = null;
            await cluster.UntilAsync(async () => (running = await RunningAsync(cluster, deadly)) is not null, Patience, $"silo {victims + 1} runs the request");
            await running!.KillAsync();
        }

        var answer = await killing;
        AssertRefused(answer, StatusCode.Internal, "two silos were lost");
        Assert.False(answer.HasRetryHint);
        InferResult? refused = null;
        await cluster.UntilAsync(
            async () => (refused = await client.InferAsync(deadly, Patience)).Message.Contains("quarantined", StringComparison.Ordinal), Patience, "the model is quarantined");
        Assert.Equal(StatusCode.Unavailable, refused!.Status);
        Assert.Single((await cluster.ViewAsync()).Active);
        var report = await load.StopAsync();
        report.AssertNoFailure();

        await client.EnsureLoadedAsync(deadly);
        await cluster.UntilAsync(view => view.SilosOf(deadly).Count == 1, Patience);
    }

    private sealed record OneGateway(IReadOnlyList<string> GrpcTargets) : IGateways;

    private static async Task<ClusterProcess?> RunningAsync(TestCluster cluster, string model)
    {
        foreach (var silo in cluster.Silos.Where(static silo => silo.IsRunning))
        {
            if ((await MetricsPage.ReadAsync(cluster.Http, silo.HttpUrl)).Sum("ovms_current_requests", $"name=\"{model}\"") > 0)
            {
                return silo;
            }
        }

        return null;
    }
}
