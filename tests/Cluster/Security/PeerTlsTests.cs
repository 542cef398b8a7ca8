using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Security;

/// <summary>Clusters whose processes speak mutual TLS with each other.</summary>
[Collection(RoomyCluster.Name)]
public sealed class PeerTlsTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    private static readonly TimeSpan TwoCopiesWait = TimeSpan.FromSeconds(1);

    /// <summary>A silo that is killed is found as fast as without TLS: looks at its port are TCP alone.</summary>
    [Fact]
    public async Task SiloKilled_UnderLoad_NoRequestFails()
    {
        await using var cluster = await OwnClusterAsync(new ClusterSetup { Silos = 2, Gateways = 1, PeerTls = new PeerCertificates() });
        var models = await RegisterAsync(cluster, "model", 3, OnnxModels.Small, TwoCopies);
        await CopiesAsync(cluster, models, 2, Patience);

        await using var load = await OpenLoad.StartAsync(cluster, models);
        await load.GoOnAsync(TimeSpan.FromSeconds(2));
        var killed = load.Elapsed;
        await cluster.Silos[1].KillAsync();
        await load.GoOnAsync(TimeSpan.FromSeconds(4));
        var report = await load.StopAsync();

        Output.WriteLine($"{report.From(killed)}");
        report.AssertNoFailure();
        report.AssertNoneSlowerThan(TwoCopiesWait, "two replicas, one of them killed");
        await cluster.UntilAsync(view => view.Active.Count == 1, Patience, 0, "the killed silo is no member");
        Assert.Equal(0, await cluster.SumAsync("cluster_peer_refusals"));
        Assert.DoesNotContain("Refused a connection", cluster.Silos[0].Tail(1000), StringComparison.Ordinal);

        var added = await cluster.AddSiloAsync();
        await cluster.UntilAsync(async () => await IsReadyAsync(cluster, added), Patience, "the silo that was added is ready");
        await CopiesAsync(cluster, models, 2, Patience);
    }

    [Fact]
    [Trait("Category", "Soak")]
    public async Task Silo_OfAnotherAuthority_DoesNotGetIn_AndServiceGoesOn()
    {
        await using var cluster = await OwnClusterAsync(new ClusterSetup { Silos = 2, Gateways = 1, PeerTls = new PeerCertificates() });
        var models = await RegisterAsync(cluster, "model", 2, OnnxModels.Small, TwoCopies);
        await CopiesAsync(cluster, models, 2, Patience);
        using var foreign = new PeerCertificates();
        await using var stranger = new ClusterProcess(
            "stranger",
            ["silo", "--redis", cluster.Redis.Endpoint, "--cluster-id", "tests", "--http-port", "0", "--silo-port", "0", "--models", cluster.Models.Path, .. foreign.Options("silo", 1)]);

        await using var load = await OpenLoad.StartAsync(cluster, models);
        using var limit = new CancellationTokenSource(Patience);
        var start = stranger.StartAsync(limit.Token);
        await cluster.UntilAsync(async () => await cluster.SumAsync("cluster_peer_refusals") > 0, Patience, "the stranger was refused");
        await load.GoOnAsync(TimeSpan.FromSeconds(3));
        var report = await load.StopAsync();

        report.AssertNoFailure();
        Assert.False(start.IsCompletedSuccessfully);
        Assert.Equal(cluster.Silos.Select(static silo => silo.Silo).Order(), (await cluster.ViewAsync()).Active.Select(static node => node.Silo).Order());
        await limit.CancelAsync();
        await Record.ExceptionAsync(() => start);
        Output.WriteLine(stranger.Tail(20));
        Assert.Contains("authority", stranger.Tail(1000), StringComparison.Ordinal);
    }

    private static async Task<bool> IsReadyAsync(TestCluster cluster, ClusterProcess silo)
    {
        using var answer = await cluster.Http.GetAsync(new Uri(silo.HttpUrl + "/v2/health/ready"));
        return answer.IsSuccessStatusCode;
    }
}
