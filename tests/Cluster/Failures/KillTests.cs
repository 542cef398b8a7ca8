using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Failures;

/// <summary>Processes are killed (SIGKILL) while 200 requests a second come through two gateways.</summary>
[Collection(RoomyCluster.Name)]
public sealed class KillTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    private static readonly TimeSpan TwoCopiesWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WholeAgain = TimeSpan.FromSeconds(1.5);

    /// <summary>Beside detection and load, for a request whose model has to be loaded anew.</summary>
    private static readonly TimeSpan ReloadSlack = TimeSpan.FromSeconds(0.5);

    [Fact]
    public async Task SiloKilled_UnderLoad_NoRequestFailsAndServiceIsWholeAgainSoon()
    {
        var cluster = await ClusterAsync();
        var two = await RegisterAsync(cluster, "two", 3, OnnxModels.Small, TwoCopies);
        var one = await RegisterAsync(cluster, "one", 6, OnnxModels.Small, OneCopy);
        await CopiesAsync(cluster, two, 2, Patience);
        await CopiesAsync(cluster, one, 1, Patience);
        var loadTime = await LoadTimeAsync(cluster, one);

        await using var load = await OpenLoad.StartAsync(cluster, [.. two, .. one]);
        await load.GoOnAsync(TimeSpan.FromSeconds(2));
        var view = await cluster.ViewAsync();
        var victim = view.Active.MaxBy(node => view.ReplicasOn(node.Silo, Names(one)))!.Silo;
        Assert.True(view.ReplicasOn(victim, Names(one)) > 0);
        var killed = load.Elapsed;
        await cluster.SiloAt(victim).KillAsync();
        await load.GoOnAsync(TimeSpan.FromSeconds(5));
        var report = await load.StopAsync();

        Output.WriteLine($"two replicas: {report.For(Names(two)).From(killed)}\none replica: {report.For(Names(one)).From(killed)}\nload {loadTime.TotalMilliseconds:0} ms");
        report.AssertNoFailure();
        report.For(Names(two)).AssertNoneSlowerThan(TwoCopiesWait, "two replicas, one of them killed");
        report.For(Names(one)).AssertNoneSlowerThan(Detection + loadTime + ReloadSlack, "one replica, killed");
        report.From(killed + WholeAgain).AssertNoneSlowerThan(Ordinary, "the service is whole again");
        await CopiesAsync(cluster, two, 2, Patience);
        Assert.False((await cluster.ViewAsync(1)).IsActive(victim));
    }

    [Fact]
    [Trait("Category", "Soak")]
    public async Task AllSilosKilledOneAfterTheOther_AndReplaced_NoRequestFails()
    {
        var cluster = await ClusterAsync();
        var two = await RegisterAsync(cluster, "two", 4, OnnxModels.Small, TwoCopies);
        await CopiesAsync(cluster, two, 2, Patience);

        await using var load = await OpenLoad.StartAsync(cluster, two);
        foreach (var silo in cluster.Silos)
        {
            await load.GoOnAsync(TimeSpan.FromSeconds(1));
            await silo.KillAsync();
            await CopiesAsync(cluster, two, 2, Patience);
            await silo.StartAsync();
            await cluster.WholeAsync();
        }

        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        var report = await load.StopAsync();
        Output.WriteLine($"{report}");
        report.AssertNoFailure();
        report.AssertNoneSlowerThan(TwoCopiesWait, "each silo killed in turn");
    }

    [Fact]
    public async Task GatewayKilled_UnderLoad_TheOtherServesAsBefore()
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "model", 4, OnnxModels.Small);

        await using var load = await OpenLoad.StartAsync(cluster, models);
        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        await cluster.Gateways[1].KillAsync();
        await load.GoOnAsync(TimeSpan.FromSeconds(2));
        var report = await load.StopAsync();

        report.Through(0).AssertNoFailure();
        report.Through(0).AssertNoneSlowerThan(Ordinary, "the other gateway was killed");
        await cluster.Gateways[1].StartAsync();
        using var client = new MeshClient(cluster.Gateways[1].GrpcTarget);
        await cluster.UntilAsync(async () => (await client.InferAsync(models[0].Model, Patience)).IsOk, Patience);
    }

    /// <summary>The silo that loads the target of an alias' move dies in the middle of it: the move is finished by another.</summary>
    [Fact]
    [Trait("Category", "Soak")]
    public async Task SiloKilled_InTheMiddleOfAnAliasMove_TheMoveIsFinished()
    {
        var cluster = await ClusterAsync();
        var model = await RegisterAsync(cluster, "model", 1, OnnxModels.Small);
        var slow = await RegisterAsync(cluster, "slow", 1, static _ => OnnxModels.SlowToLoad(2, 300), load: false);
        var (client, alias) = (cluster.Client(0), cluster.Named("alias"));
        await client.SetAliasAsync(alias, model[0].Model);

        await using var load = await OpenLoad.StartAsync(cluster, [new LoadTarget(alias, 1, 2)], rate: 50);
        await client.SetAliasAsync(alias, slow[0].Model, wait: false);
        var loading = "";
        await cluster.UntilAsync(view => (loading = view.Nodes.FirstOrDefault(static node => node.Loading > 0)?.Silo ?? "").Length > 0, Patience);
        await cluster.SiloAt(loading).KillAsync();
        await cluster.AnswersAsync(cluster.Client(1), alias, 2, Patience);
        var report = await load.StopAsync();

        report.AssertNoFailure();
        Assert.Equal(slow[0].Model, (await client.AliasAsync(alias)).ActiveModelId);
    }

    /// <summary>What a load of one of the models takes, on average.</summary>
    private static async Task<TimeSpan> LoadTimeAsync(TestCluster cluster, IReadOnlyList<LoadTarget> models)
    {
        var (time, loads) = (0d, 0d);
        foreach (var model in models)
        {
            time += await cluster.SumAsync("cluster_model_load_time_us_sum", $"name=\"{model.Model}\"");
            loads += await cluster.SumAsync("cluster_model_load_time_us_count", $"name=\"{model.Model}\"");
        }

        return TimeSpan.FromMicroseconds(time / loads);
    }
}
