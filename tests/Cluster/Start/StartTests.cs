using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Start;

/// <summary>A cluster comes up, and models are loaded when they are asked for.</summary>
[Collection(RoomyCluster.Name)]
public sealed class StartTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    private const int Requests = 64;

    [Fact]
    public async Task Start_ThreeSilosAndTwoGateways_BothAnswerForRepositoryAndForColdModels()
    {
        var cluster = await ClusterAsync();
        var cold = await RegisterAsync(cluster, "cold", 2, OnnxModels.Small, load: false);

        for (var gateway = 0; gateway < 2; gateway++)
        {
            var client = cluster.Client(gateway);
            await cluster.AnswersAsync(client, TestCluster.Shipped, TestCluster.ShippedNumber, Patience);
            AssertOk(await client.InferAsync(cold[gateway].Model, Patience), gateway + 1);
            await CopiesAsync(cluster, [cold[gateway]], 1, Patience);
        }

        Assert.Equal(3, (await cluster.ViewAsync(1)).Active.Count);
    }

    [Fact]
    public async Task ColdModel_ManyRequestsAtOnceThroughBothGateways_IsLoadedOnce()
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "cold", 3, static number => OnnxModels.SlowToLoad(number, 60), load: false);
        var clients = new[] { cluster.Client(0), cluster.Client(1) };

        foreach (var model in models)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, Requests).Select(i => clients[i % 2].InferAsync(model.Model, Patience)));

            Assert.All(answers, answer => AssertOk(answer, model.Numbers[0]));
            Assert.Equal(1, await cluster.LoadsAsync(model.Model));
        }
    }

    [Fact]
    public async Task Metrics_OfEveryProcess_TellOfDecisions()
    {
        string[] ofSilos =
        [
            "cluster_model_loads", "cluster_model_load_time_us", "cluster_models_loaded", "cluster_cache_capacity_bytes", "cluster_cache_used_bytes",
            "cluster_cache_unloading_bytes", "cluster_cache_evictions", "cluster_cache_refusals", "cluster_rejected_requests", "ovms_current_requests",
        ];
        string[] ofGateways = ["cluster_gateway_retries", "ovms_requests_success"];
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "model", 1, OnnxModels.Small);
        AssertOk(await cluster.Client(0).InferAsync(models[0].Model, Patience), 1);

        var holder = (await cluster.ViewAsync()).SilosOf(models[0].Model)[0];
        var silo = await MetricsPage.ReadAsync(cluster.Http, cluster.SiloAt(holder).HttpUrl);
        var gateway = await MetricsPage.ReadAsync(cluster.Http, cluster.Gateways[0].HttpUrl);

        Assert.All(ofSilos, family => Assert.True(silo.Has(family) || silo.Has(family + "_count"), $"no {family}"));
        Assert.All(ofGateways, family => Assert.True(gateway.Has(family), $"no {family}"));
    }
}
