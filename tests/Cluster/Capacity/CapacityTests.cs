using System.Collections.Concurrent;
using Cluster.ClusterTests.Support;
using Cluster.Contracts.Errors;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Capacity;

/// <summary>More models than fit.</summary>
[Collection(TightCluster.Name)]
public sealed class CapacityTests(TightCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    private const int Models = 40;

    private static readonly TimeSpan Scrape = TimeSpan.FromMilliseconds(100);

    [Fact]
    [Trait("Category", "Soak")]
    public Task Thrash_MoreModelsThanFit_TheBooksAreRightAndOnlyTheChurnGuardRefuses() => RunAsync(TimeSpan.FromSeconds(10));

    [Fact]
    [Trait("Category", "Soak")]
    public Task ThrashForMinutes_MoreModelsThanFit_TheBooksAreRightAndOnlyTheChurnGuardRefuses() => RunAsync(TimeSpan.FromMinutes(2));

    /// <summary>Not among the short ones: a silo that fills up says so within 200 ms, and a model placed there before that is refused.</summary>
    [Fact]
    [Trait("Category", "Soak")]
    public async Task Overflow_OfACluster_TheLongestUnusedGoAndTouchedOnesStay()
    {
        await using var cluster = await OwnClusterAsync(new ClusterSetup { Silos = 2, Gateways = 1, Capacity = TightCluster.Capacity });
        var models = await RegisterAsync(cluster, "model", 11, Sized, OneCopy, load: false);
        var client = cluster.Client(0);
        var (kept, old, fresh) = (models.Take(4).ToList(), models.Skip(4).Take(4).ToList(), models.Skip(8).ToList());
        foreach (var model in kept.Concat(old))
        {
            AssertOk(await client.InferAsync(model.Model, Patience), model.Numbers[0]);
        }

        // The churn guard keeps what was used within ten load times: what is to go has to be older.
        for (var round = 0; round < 12; round++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(250));
            foreach (var model in kept)
            {
                AssertOk(await client.InferAsync(model.Model, Patience), model.Numbers[0]);
            }
        }

        foreach (var model in fresh)
        {
            await cluster.AnswersAsync(client, model.Model, model.Numbers[0], Patience);
        }

        foreach (var model in kept)
        {
            Assert.Equal((model.Model, 1), (model.Model, await cluster.LoadsAsync(model.Model)));
        }

        Assert.Equal(fresh.Count, await cluster.SumAsync("cluster_cache_evictions"));
    }

    [Fact]
    public async Task OversizeModel_IsRefusedClearlyAndEvictsNone()
    {
        var cluster = await ClusterAsync();
        var evictions = await cluster.SumAsync("cluster_cache_evictions");
        var fitting = await RegisterAsync(cluster, "model", 6, Sized, OneCopy);
        var large = cluster.Named("large");
        cluster.Registered.Put(large, OnnxModels.Sized(99, 40));
        await cluster.Client(0).RegisterAsync(large);

        foreach (var gateway in new[] { 0, 1 })
        {
            var answer = await cluster.Client(gateway).InferAsync(large, Patience);
            AssertRefused(answer, StatusCode.Unavailable, large, "smaller than the model");
        }

        Assert.Equal(evictions, await cluster.SumAsync("cluster_cache_evictions"));
        foreach (var model in fitting)
        {
            AssertOk(await cluster.Client(0).InferAsync(model.Model, Patience), model.Numbers[0]);
            Assert.Equal(1, await cluster.LoadsAsync(model.Model));
        }
    }

    /// <summary>A request that finds a replica's queue full goes to another replica; only when all are full it is refused, with a hint.</summary>
    [Fact]
    public async Task QueueFull_TheOtherCopyTakesOverAndThenRequestsAreRefused()
    {
        const int InEachCopy = 5;
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(
            cluster, "slow", 1, static number => OnnxModels.SlowToRun(number, 500), """{"min_copies": 2, "max_copies": 2, "concurrency": 1, "queue_limit": 4}""");
        await CopiesAsync(cluster, models, 2, Patience);
        var client = cluster.Client(0);
        await client.InferAsync(models[0].Model, Patience);
        var retries = await RetriesAsync();

        var fitting = await Task.WhenAll(Enumerable.Range(0, 2 * InEachCopy).Select(_ => client.InferAsync(models[0].Model, Patience)));
        var crowd = await Task.WhenAll(Enumerable.Range(0, 6 * InEachCopy).Select(_ => client.InferAsync(models[0].Model, Patience)));

        Assert.All(fitting, answer => AssertOk(answer, 1));
        Assert.InRange(crowd.Count(static answer => answer.IsOk), 2 * InEachCopy, (6 * InEachCopy) - 1);
        Assert.All(crowd.Where(static answer => !answer.IsOk), static answer => Assert.True(answer is { Status: StatusCode.ResourceExhausted, HasRetryHint: true }, $"{answer}"));
        Assert.True(await RetriesAsync() > retries);

        async Task<double> RetriesAsync() =>
            (await MetricsPage.ReadAsync(cluster.Http, cluster.Gateways[0].HttpUrl)).Sum("cluster_gateway_retries", "reason=\"full\"");
    }

    /// <summary>Models for which there was no room are loaded on a silo that joins, without a request for them.</summary>
    [Fact]
    [Trait("Category", "Soak")]
    public async Task SiloJoins_ModelsThatHadNoRoomAreLoadedThere()
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "model", TightCluster.Fitting + 3, Sized, OneCopy, load: false);
        foreach (var model in models)
        {
            await cluster.UntilAsync(async () => (await cluster.Client(0).InferAsync(model.Model, Patience)).IsOk, Patience);
        }

        var loads = await cluster.SumAsync("cluster_model_loads", "result=\"success\"");
        var silo = await cluster.AddSiloAsync();

        // One at least: the controller's silo estimates models that it has not loaded itself, and then a second one seems not to fit.
        await cluster.UntilAsync(view => view.Nodes.Any(node => node.Silo == silo.Silo && node.Copies >= 1), TimeSpan.FromSeconds(60));

        // What is being loaded counts as a copy too.
        await cluster.UntilAsync(async () => await cluster.SumAsync("cluster_model_loads", "result=\"success\"") > loads, Patience);
    }

    private static byte[] Sized(float number) => OnnxModels.Sized(number, TightCluster.Mebibytes);

    private async Task RunAsync(TimeSpan duration)
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "model", Models, Sized, load: false);
        var (loadsBefore, evictionsBefore) = (await cluster.SumAsync("cluster_model_loads", "result=\"success\""), await cluster.SumAsync("cluster_cache_evictions"));

        using var stop = new CancellationTokenSource();
        var wrong = new ConcurrentQueue<string>();
        var scraping = Task.WhenAll(cluster.Silos.Select(silo => ScrapeAsync(cluster, silo, wrong, stop.Token)));
        await using var load = await OpenLoad.StartAsync(cluster, models, rate: 50, random: new Random(1));
        await load.GoOnAsync(duration);
        var report = await load.StopAsync();
        await stop.CancelAsync();
        var scrapes = (await scraping).Sum();

        var loads = await cluster.SumAsync("cluster_model_loads", "result=\"success\"") - loadsBefore;
        var evictions = await cluster.SumAsync("cluster_cache_evictions") - evictionsBefore;
        Output.WriteLine($"{report}; {loads} loads, {evictions} evictions, {scrapes} scrapes");
        Assert.True(wrong.IsEmpty, string.Join('\n', wrong.Take(10)));
        Assert.True(scrapes > duration.TotalSeconds, $"{scrapes} scrapes");
        Assert.True(loads > TightCluster.Fitting, $"{loads} loads");
        Assert.InRange(report.Count - report.Failures.Count, report.Count / 5, report.Count);
        Assert.All(report.Failures, failure => Assert.True(failure.Result is { Status: StatusCode.ResourceExhausted, HasRetryHint: true }, $"{failure}"));
    }

    /// <summary>Reads a silo's books until told to stop; returns how often.</summary>
    private static async Task<int> ScrapeAsync(TestCluster cluster, ClusterProcess silo, ConcurrentQueue<string> wrong, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Scrape);
        var scrapes = 0;
        for (; !stop.IsCancellationRequested; scrapes++)
        {
            var page = await MetricsPage.ReadAsync(cluster.Http, silo.HttpUrl, CancellationToken.None);
            var (used, unloading, capacity) =
                (page.Sum("cluster_cache_used_bytes"), page.Sum("cluster_cache_unloading_bytes"), page.Sum("cluster_cache_capacity_bytes"));
            if (used < 0 || unloading < 0 || used + unloading > capacity || capacity == 0)
            {
                wrong.Enqueue($"{silo.Name}: {used} used and {unloading} unloading of {capacity} bytes");
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        return scrapes;
    }
}
