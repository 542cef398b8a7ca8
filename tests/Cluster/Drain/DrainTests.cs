using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Drain;

/// <summary>A silo is asked to stop (SIGTERM) while requests come: its models are loaded elsewhere before they go.</summary>
[Collection(RoomyCluster.Name)]
public sealed class DrainTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    /// <summary>What a request may take longer than the slowest before the drain.</summary>
    private static readonly TimeSpan Added = TimeSpan.FromMilliseconds(100);

    [Fact]
    public Task SiloDrained_ModelsThatLoadForSeconds_NoRequestFailsOrWaits() => RunAsync(models: 4, products: 100, Patience);

    [Fact]
    [Trait("Category", "Soak")]
    public Task SiloDrained_ModelsThatLoadForHalfAMinute_NoRequestFailsOrWaits() => RunAsync(models: 2, products: 2500, TimeSpan.FromMinutes(3));

    [Fact]
    public Task SiloDrained_AndStartedAgain_NoRequestFails() => ReplaceAsync(silos: 1);

    [Fact]
    [Trait("Category", "Soak")]
    public Task AllSilosDrained_AndStartedAgain_OneAfterTheOther_NoRequestFails() => ReplaceAsync(silos: 3);

    /// <summary>Drains and starts so many silos in turn.</summary>
    private async Task ReplaceAsync(int silos)
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "one", 6, OnnxModels.Small, OneCopy);

        await using var load = await OpenLoad.StartAsync(cluster, models);
        foreach (var silo in cluster.Silos.Take(silos).ToList())
        {
            await load.GoOnAsync(TimeSpan.FromSeconds(1));
            silo.Terminate();
            await silo.WaitForExitAsync(Patience);
            Assert.Equal(0, silo.ExitCode);
            await silo.StartAsync();
            await cluster.WholeAsync();
        }

        var report = await load.StopAsync();
        Output.WriteLine($"{report}");
        report.AssertNoFailure();
        report.AssertNoneSlowerThan(TimeSpan.FromSeconds(1), "each silo replaced in turn");
    }

    private async Task RunAsync(int models, int products, TimeSpan limit)
    {
        var cluster = await ClusterAsync();
        var slow = await RegisterAsync(cluster, "slow", models, number => OnnxModels.SlowToLoad(number, products), OneCopy);
        var small = await RegisterAsync(cluster, "small", 4, OnnxModels.Small, OneCopy);

        await using var load = await OpenLoad.StartAsync(cluster, [.. slow, .. small], rate: 100);
        await load.GoOnAsync(TimeSpan.FromSeconds(3));
        var view = await cluster.ViewAsync();
        var silo = cluster.SiloAt(view.Active.MaxBy(node => view.ReplicasOn(node.Silo, Names(slow)))!.Silo);
        Assert.True(view.ReplicasOn(silo.Silo, Names(slow)) > 0);
        var start = load.Elapsed;
        silo.Terminate();
        await silo.WaitForExitAsync(limit);
        var left = load.Elapsed;
        await load.GoOnAsync(TimeSpan.FromSeconds(2));
        var report = await load.StopAsync();

        Output.WriteLine($"left after {(left - start).TotalSeconds:0.0} s; before: {report.EndedBy(start)}; after: {report.From(start)}");
        Assert.Equal(0, silo.ExitCode);
        report.AssertNoFailure();
        report.AssertNoneSlowerThan(report.EndedBy(start).Slowest + Added, "a silo was drained");
    }
}
