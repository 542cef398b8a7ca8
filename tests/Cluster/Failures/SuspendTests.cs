using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Failures;

/// <summary>A silo is suspended (SIGSTOP): its connections stay, nothing answers; and goes on later, believing that nothing happened.</summary>
[Collection(RoomyCluster.Name)]
public sealed class SuspendTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    private static readonly TimeSpan DeclaredDead = TimeSpan.FromSeconds(5);

    /// <summary>What a look at the cluster may be late by.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(300);

    [Fact]
    public Task SiloSuspended_UnderLoad_IsDeclaredDeadAndComesBackAsANewOne() => RunAsync(TimeSpan.FromSeconds(6));

    [Fact]
    [Trait("Category", "Soak")]
    public Task SiloSuspendedForLong_UnderLoad_IsDeclaredDeadAndComesBackAsANewOne() => RunAsync(TimeSpan.FromSeconds(20));

    private async Task RunAsync(TimeSpan suspended)
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "two", 4, OnnxModels.Small, TwoCopies);
        await CopiesAsync(cluster, models, 2, Patience);

        await using var load = await OpenLoad.StartAsync(cluster, models);
        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        var view = await cluster.ViewAsync();
        var silo = cluster.SiloAt(view.Active.MaxBy(node => view.ReplicasOn(node.Silo, Names(models)))!.Silo);
        var address = silo.Silo;
        var start = load.Elapsed;
        silo.Suspend();
        await cluster.UntilAsync(seen => !seen.IsActive(address), Patience, what: "the suspended silo is declared dead");
        var dead = load.Elapsed - start;
        await load.UntilAsync(start + suspended);
        silo.Resume();
        await cluster.UntilAsync(seen => silo.Silo != address && seen.IsActive(silo.Silo), Patience, what: "the silo is a member again, as a new one");
        await load.GoOnAsync(TimeSpan.FromSeconds(2));
        var report = await load.StopAsync();

        Output.WriteLine($"declared dead after {dead.TotalSeconds:0.00} s; {report.From(start)}");
        Assert.InRange(dead, TimeSpan.Zero, DeclaredDead + Look);
        report.AssertNoFailure();
        report.AssertNoneSlowerThan(DeclaredDead + TimeSpan.FromSeconds(1), "a silo was suspended");
        report.From(start + suspended + TimeSpan.FromSeconds(1)).AssertNoneSlowerThan(TimeSpan.FromSeconds(1), "the silo goes on");
        Assert.True(silo.IsRunning);
    }
}
