using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Repository;

/// <summary>Silos whose model folders hold different content.</summary>
public sealed class DisagreementTests(ITestOutputHelper output) : ClusterTest(output)
{
    [Fact]
    public async Task SiloWithAnEmptyFolder_Joins_IsNotReadyAndTakesNothingFromTheOthers()
    {
        await using var cluster = await TestCluster.StartAsync(
            new ClusterSetup { Silos = 2, Gateways = 1 }, Output, static cluster => cluster.Models.Put("kept", OnnxModels.Small(7)));
        var client = cluster.Client(0);
        await cluster.AnswersAsync(client, "kept", 7, Patience);
        using var empty = ModelFolder.Create();

        var third = await cluster.AddSiloAsync(models: empty);
        var ready = new Uri(third.HttpUrl + "/v2/health/ready");
        await cluster.UntilAsync(view => view.IsActive(third.Silo), Patience);
        await cluster.UntilAsync(() => Task.FromResult(third.Tail(60).Contains("disagrees with the cluster's", StringComparison.Ordinal)), Patience);

        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, (await cluster.Http.GetAsync(ready)).StatusCode);
        AssertOk(await client.InferAsync("kept", Patience), 7);

        // The controller may have been on any silo: now it is on none of the two that agreed.
        await Task.WhenAll(cluster.Silos.Take(2).Select(static silo => silo.KillAsync()));
        await cluster.UntilAsync(view => view.Active.Count == 1, Patience);
        Assert.Contains("kept", await cluster.Http.GetStringAsync(new Uri(cluster.Gateways[0].HttpUrl + "/v2/cluster")), StringComparison.Ordinal);

        empty.Put("kept", OnnxModels.Small(7));
        await cluster.UntilAsync(async () => (await cluster.Http.GetAsync(ready)).IsSuccessStatusCode, Patience, "the silo whose folder was filled is ready");
        await cluster.AnswersAsync(client, "kept", 7, Patience);
    }
}
