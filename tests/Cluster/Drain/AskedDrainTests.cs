using System.Net;
using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Drain;

/// <summary>An operator drains a silo under load: it has no replica any more and goes on, and takes replicas again when it is to.</summary>
[Collection(RoomyCluster.Name)]
public sealed class AskedDrainTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    [Fact]
    public async Task SiloDrained_AndUndrained_NoRequestFailsAndItTakesReplicasAgain()
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "moves", 4, OnnxModels.Small, OneCopy);
        var pairs = await RegisterAsync(cluster, "pair", 2, OnnxModels.Small, TwoCopies);
        await using var load = await OpenLoad.StartAsync(cluster, [.. models, .. pairs]);
        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        var view = await cluster.ViewAsync();
        var silo = view.Active.MaxBy(node => view.ReplicasOn(node.Silo, Names(models)))!.Silo;
        var start = load.Elapsed;

        await AskAsync(cluster, silo, "drain", HttpStatusCode.OK);
        await cluster.UntilAsync(now => now.Nodes.Single(node => node.Silo == silo) is { Draining: true, Copies: 0, Status: "Active" }, Patience, 1, "the silo is drained");
        var drained = load.Elapsed;
        Assert.All(models.Concat(pairs), model => Assert.DoesNotContain(silo, cluster.ViewAsync().GetAwaiter().GetResult().SilosOf(model.Model)));

        // What comes now goes elsewhere; and one silo has to take it.
        await CopiesAsync(cluster, await RegisterAsync(cluster, "later", 2, OnnxModels.Small, """{"min_copies": 3}"""), 2, Patience);
        foreach (var other in view.Active.Where(node => node.Silo != silo).Take(1))
        {
            await AskAsync(cluster, other.Silo, "drain", HttpStatusCode.OK);
        }

        var last = view.Active.Last(node => node.Silo != silo).Silo;
        Assert.Contains("is the only one that takes replicas", await AskAsync(cluster, last, "drain", HttpStatusCode.BadRequest), StringComparison.Ordinal);
        Assert.Contains("is not found among those that are active", await AskAsync(cluster, "10.9.9.9:1@1", "undrain", HttpStatusCode.NotFound), StringComparison.Ordinal);

        foreach (var node in view.Active)
        {
            await AskAsync(cluster, node.Silo, "undrain", HttpStatusCode.OK);
        }

        await cluster.UntilAsync(now => now.Active.All(node => !node.Draining), Patience, 1, "no silo drains");
        await CopiesAsync(cluster, await RegisterAsync(cluster, "again", 1, OnnxModels.Small, """{"min_copies": 3}"""), 3, Patience);
        var report = await load.StopAsync();

        Output.WriteLine($"empty after {(drained - start).TotalSeconds:0.0} s; {report}");
        report.AssertNoFailure();
        Assert.True(cluster.SiloAt(silo).IsRunning);
    }

    private static async Task<string> AskAsync(TestCluster cluster, string silo, string verb, HttpStatusCode expected)
    {
        using var answer = await cluster.Http.PostAsync(new Uri($"{cluster.Gateways[0].HttpUrl}/v2/cluster/silos/{Uri.EscapeDataString(silo)}/{verb}"), null);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{answer.StatusCode}: {text}");
        return text;
    }
}
