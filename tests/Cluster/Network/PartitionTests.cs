using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Network;

/// <summary>Every process is a machine of its own; what some send to each other is lost, and neither end is told.</summary>
[Collection(NetworkCluster.Name)]
public sealed class PartitionTests(NetworkCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    private static readonly TimeSpan CutFor = TimeSpan.FromSeconds(6);

    /// <summary>As for a silo that hangs: until then a call to it may wait.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(6);

    /// <summary>Two silos do not hear each other; all others hear both. One witness is not enough to remove a silo.</summary>
    [Fact]
    public async Task TwoSilosCutFromEachOther_NoRequestFailsAndBothStay()
    {
        var cluster = await ClusterAsync();
        var network = cluster.Network!;
        var models = await RegisterAsync(cluster, "two", 4, OnnxModels.Small, TwoCopies);
        await CopiesAsync(cluster, models, 2, Patience);
        var silos = cluster.Silos.Select(static silo => silo.Silo).ToList();

        var report = await RunAsync(cluster, models, AddressOf(cluster.Silos[0]), AddressOf(cluster.Silos[1]));

        report.AssertNoFailure();
        report.AssertNoneSlowerThan(Bound, "two silos cut from each other");
        await AllServeAsync(cluster);
        Assert.Equal(silos, cluster.Silos.Select(static silo => silo.Silo));
    }

    /// <summary>A silo does not hear Redis; it goes on serving, and no silo removes it.</summary>
    [Fact]
    [Trait("Category", "Soak")]
    public async Task SiloCutFromRedis_NoRequestFailsAndItStays()
    {
        var cluster = await ClusterAsync();
        var network = cluster.Network!;
        var models = await RegisterAsync(cluster, "one", 6, OnnxModels.Small, OneCopy);
        var silos = cluster.Silos.Select(static silo => silo.Silo).ToList();

        var report = await RunAsync(cluster, models, AddressOf(cluster.Silos[0]), network.HostAddress);

        report.AssertNoFailure();
        report.AssertNoneSlowerThan(TimeSpan.FromSeconds(1), "a silo cut from Redis");
        await AllServeAsync(cluster);
        Assert.Equal(silos, cluster.Silos.Select(static silo => silo.Silo));
    }

    /// <summary>A silo hears Redis alone: the others remove it, and it comes back as a new one when it hears them again.</summary>
    [Fact]
    public async Task SiloCutFromAllOthers_IsReplacedAndNoRequestFails()
    {
        var cluster = await ClusterAsync();
        var network = cluster.Network!;
        var models = await RegisterAsync(cluster, "two", 4, OnnxModels.Small, TwoCopies);
        await CopiesAsync(cluster, models, 2, Patience);
        var lonely = cluster.Silos[0];
        var others = cluster.Silos.Skip(1).Concat(cluster.Gateways).Select(AddressOf).ToList();

        await using var load = await OpenLoad.StartAsync(cluster, models, rate: 100);
        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        var before = lonely.Silo;
        others.ForEach(other => network.Cut(AddressOf(lonely), other));
        await cluster.UntilAsync(view => !view.IsActive(before), Patience, what: "the lonely silo is removed");
        await CopiesAsync(cluster, models, 2, Patience);
        others.ForEach(other => network.Heal(AddressOf(lonely), other));
        await cluster.UntilAsync(view => view.IsActive(lonely.Silo), Patience, what: "the silo is a member again");
        var report = await load.StopAsync();

        Output.WriteLine($"{report}");
        report.AssertNoFailure();
        report.AssertNoneSlowerThan(Bound, "a silo cut from all others");
        Assert.NotEqual(before, lonely.Silo);
    }

    private static string AddressOf(ClusterProcess process) => new Uri(process.HttpUrl).Host;

    private static async Task AllServeAsync(TestCluster cluster)
    {
        await cluster.WholeAsync();
        var cold = await RegisterAsync(cluster, "cold", 6, OnnxModels.Small, load: false);
        foreach (var gateway in new[] { 0, 1 })
        {
            using var client = new MeshClient(cluster.Gateways[gateway].GrpcTarget);
            foreach (var model in cold)
            {
                // What a silo says to a Redis that it has just got back comes when TCP sends again what was lost: some seconds later.
                await cluster.AnswersAsync(client, model.Model, model.Numbers[0], Patience);
            }
        }
    }

    private async Task<LoadReport> RunAsync(TestCluster cluster, IReadOnlyList<LoadTarget> models, string one, string other)
    {
        await using var load = await OpenLoad.StartAsync(cluster, models, rate: 100);
        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        cluster.Network!.Cut(one, other);
        await load.GoOnAsync(CutFor);
        cluster.Network!.Heal(one, other);
        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        var report = await load.StopAsync();
        Output.WriteLine($"{report}");
        return report;
    }
}
