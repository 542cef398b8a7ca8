using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Repository;

/// <summary>Silos whose model folders hold different content.</summary>
[Collection(RoomyCluster.Name)]
public sealed class DisagreementTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    [Fact]
    public async Task SiloWithAnEmptyFolder_Joins_IsNotReadyAndTakesNothingFromTheOthers()
    {
        var cluster = await ClusterAsync();
        var agreed = cluster.Silos.ToList();
        var client = cluster.Client(0);
        await cluster.AnswersAsync(client, TestCluster.Shipped, TestCluster.ShippedNumber, Patience);
        using var empty = ModelFolder.Create();

        var wrong = await cluster.AddSiloAsync(models: empty);
        var ready = new Uri(wrong.HttpUrl + "/v2/health/ready");
        await cluster.UntilAsync(view => view.IsActive(wrong.Silo), Patience);
        await cluster.UntilAsync(() => Task.FromResult(wrong.Tail(60).Contains("disagrees with the cluster's", StringComparison.Ordinal)), Patience);

        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, (await cluster.Http.GetAsync(ready)).StatusCode);
        AssertOk(await client.InferAsync(TestCluster.Shipped, Patience), TestCluster.ShippedNumber);

        // The controller was on one of them.
        await Task.WhenAll(agreed.Select(static silo => silo.KillAsync()));
        await cluster.UntilAsync(view => view.Active.Count == 1, Patience);
        Assert.Contains(TestCluster.Shipped, await cluster.Http.GetStringAsync(new Uri(cluster.Gateways[0].HttpUrl + "/v2/cluster")), StringComparison.Ordinal);

        empty.Put(TestCluster.Shipped, OnnxModels.Small(TestCluster.ShippedNumber));
        await cluster.UntilAsync(async () => (await cluster.Http.GetAsync(ready)).IsSuccessStatusCode, Patience, "the silo whose folder was filled is ready");
        await cluster.AnswersAsync(client, TestCluster.Shipped, TestCluster.ShippedNumber, Patience);
    }
}
