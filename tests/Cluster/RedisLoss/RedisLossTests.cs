using System.Diagnostics;
using System.Text;
using Cluster.ClusterTests.Support;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.RedisLoss;

/// <summary>Redis is gone for a while, or comes back without what it held.</summary>
[Collection(RoomyCluster.Name)]
public sealed class RedisLossTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    private static readonly TimeSpan BackIn = TimeSpan.FromSeconds(10);

    [Fact]
    public Task RedisStopped_LoadedModelsServeAndColdOnesAreUnavailable() => RunAsync(TimeSpan.FromSeconds(6));

    [Fact]
    [Trait("Category", "Soak")]
    public Task RedisStoppedForAMinute_LoadedModelsServeAndColdOnesAreUnavailable() => RunAsync(TimeSpan.FromSeconds(60));

    [Fact]
    public async Task RedisHangs_LoadedModelsServeWithoutAFailure()
    {
        var cluster = await ClusterAsync();
        var loaded = await RegisterAsync(cluster, "loaded", 4, OnnxModels.Small, OneCopy);

        await using var load = await OpenLoad.StartAsync(cluster, loaded, rate: 100);
        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        cluster.Redis.Suspend();
        await load.GoOnAsync(TimeSpan.FromSeconds(6));
        cluster.Redis.Resume();
        await load.GoOnAsync(TimeSpan.FromSeconds(2));
        var report = await load.StopAsync();

        report.AssertNoFailure();
        report.AssertNoneSlowerThan(TimeSpan.FromSeconds(1), "Redis hung");
        Assert.Equal(3, (await cluster.ViewAsync()).Active.Count);
        await OncePerModelAsync(cluster, loaded);
    }

    [Fact]
    public async Task RedisComesBackEmpty_RegistrationsAndPlacementsAreBackAndNothingIsLoadedAgain()
    {
        var cluster = await ClusterAsync();
        var loaded = await RegisterAsync(cluster, "loaded", 4, OnnxModels.Small, OneCopy);
        var cold = await RegisterAsync(cluster, "cold", 2, OnnxModels.Small, load: false);
        var alias = cluster.Named("alias");
        await cluster.Client(0).SetAliasAsync(alias, loaded[0].Model);
        var silos = cluster.Silos.Select(static silo => silo.Silo).ToList();

        await using var load = await OpenLoad.StartAsync(cluster, [.. loaded, new LoadTarget(alias, 1)], rate: 100);
        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        await cluster.Redis.StopAsync();
        cluster.Redis.Forget();
        await cluster.Redis.StartAsync();

        // A gateway that starts now has nothing but what Redis was given back.
        var newcomer = await cluster.AddGatewayAsync();
        using var client = new MeshClient(newcomer.GrpcTarget);
        var time = await cluster.UntilAsync(
            view => silos.All(view.IsActive) && loaded.All(model => view.SilosOf(model.Model).Count == 1) && cold.All(model => view.Models.ContainsKey(model.Model)),
            BackIn,
            cluster.Gateways.Count - 1,
            "members, registrations and placements are back");
        AssertOk(await client.InferAsync(alias, Patience), 1);
        Assert.Equal(ModelStatusInfo.Types.ModelStatus.NotLoaded, (await client.StatusAsync(cold[0].Model)).Status);
        await Task.WhenAll(cold.Select(async model => AssertOk(await client.InferAsync(model.Model, Patience), model.Numbers[0])));
        await load.GoOnAsync(TimeSpan.FromSeconds(2));
        var report = await load.StopAsync();

        Output.WriteLine($"back after {time.TotalSeconds:0.0} s; {report}");
        report.AssertNoFailure();
        await OncePerModelAsync(cluster, [.. loaded, .. cold]);
        Assert.Equal(silos, cluster.Silos.Select(static silo => silo.Silo));
    }

    /// <summary>What cannot be written is not acknowledged, and leaves nothing behind that a client did not get an answer for.</summary>
    [Fact]
    public async Task RedisGone_RegistrationsAreRefusedAndNothingHasChangedAfterItsReturn()
    {
        var cluster = await ClusterAsync();
        var kept = await RegisterAsync(cluster, "kept", 2, OnnxModels.Small, OneCopy);
        var (late, alias, another) = (cluster.Named("late"), cluster.Named("alias"), cluster.Named("another"));
        cluster.Registered.Put(late, OnnxModels.Small(2));
        await cluster.Client(0).SetAliasAsync(alias, kept[0].Model);

        await cluster.Redis.StopAsync();
        Func<Task>[] changes =
        [
            () => cluster.Client(0).RegisterAsync(late),
            () => cluster.Client(1).UnregisterAsync(kept[1].Model),
            () => cluster.Client(1).SetAliasAsync(another, kept[0].Model),
        ];
        foreach (var change in changes)
        {
            var refused = await Assert.ThrowsAsync<GrpcCallException>(change);
            Assert.True(refused.Answer.Status == StatusCode.Unavailable, $"{refused.Answer.Status}: {refused.Message}");
        }

        await cluster.Redis.StartAsync();
        foreach (var client in new[] { cluster.Client(0), cluster.Client(1) })
        {
            await cluster.AnswersAsync(client, alias, kept[0].Numbers[0], BackIn);
            await cluster.AnswersAsync(client, kept[1].Model, kept[1].Numbers[0], BackIn);

            // Aliases and loaded models answer without Redis, a registry does not.
            await cluster.UntilAsync(
                () => TryAsync(async () => Assert.Equal(ModelStatusInfo.Types.ModelStatus.NotFound, (await client.StatusAsync(late)).Status)), BackIn);
            Assert.Equal(StatusCode.NotFound, (await client.InferAsync(another, Patience)).Status);
        }

        // Each process finds Redis again by itself, and the grains of these changes may be on different ones.
        await cluster.UntilAsync(() => TryAsync(() => cluster.Client(1).RegisterAsync(late, load: true)), BackIn);
        await cluster.AnswersAsync(cluster.Client(0), late, 2, BackIn);
        await cluster.UntilAsync(() => TryAsync(() => cluster.Client(0).UnregisterAsync(kept[1].Model)), BackIn);
    }

    /// <summary>Redis answers, and refuses every write: as if it were away, and the answer says why.</summary>
    [Fact]
    public async Task RedisFull_ChangesAreRefusedAtOnceWithTheCauseAndLoadedModelsServe()
    {
        var cluster = await ClusterAsync();
        var loaded = await RegisterAsync(cluster, "loaded", 4, OnnxModels.Small, OneCopy);
        var late = cluster.Named("late");
        cluster.Registered.Put(late, OnnxModels.Small(2));

        await using var load = await OpenLoad.StartAsync(cluster, loaded, rate: 100);
        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        await cluster.Redis.SetAsync("maxmemory", "1");
        await load.GoOnAsync(TimeSpan.FromSeconds(4));
        var since = Stopwatch.StartNew();
        var refused = await Assert.ThrowsAsync<GrpcCallException>(() => cluster.Client(0).RegisterAsync(late));
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1) + Bounds.Noise);
        Assert.True(refused.Answer.Status == StatusCode.Unavailable, $"{refused.Answer.Status}: {refused.Message}");
        Assert.Contains("its memory is full", refused.Message, StringComparison.Ordinal);
        await cluster.Redis.SetAsync("maxmemory", "0");

        await cluster.UntilAsync(() => TryAsync(() => cluster.Client(0).RegisterAsync(late, load: true)), BackIn);
        AssertOk(await cluster.Client(1).InferAsync(late, Patience), 2);
        var report = await load.StopAsync();
        report.AssertNoFailure();
        report.AssertNoneSlowerThan(TimeSpan.FromSeconds(1), "Redis was full");
        Assert.Equal(3, (await cluster.ViewAsync()).Active.Count);
        await OncePerModelAsync(cluster, loaded);
    }

    /// <summary>Whether a change was taken, not refused for want of Redis.</summary>
    private static async Task<bool> TryAsync(Func<Task> change)
    {
        try
        {
            await change();
            return true;
        }
        catch (GrpcCallException refused) when (refused.Answer.Status == StatusCode.Unavailable)
        {
            return false;
        }
    }

    private static async Task OncePerModelAsync(TestCluster cluster, IEnumerable<LoadTarget> models)
    {
        foreach (var model in models)
        {
            Assert.Equal((model.Model, 1), (model.Model, await cluster.LoadsAsync(model.Model)));
        }
    }

    private async Task RunAsync(TimeSpan gone)
    {
        var cluster = await ClusterAsync();
        var loaded = await RegisterAsync(cluster, "loaded", 6, OnnxModels.Small, OneCopy);
        var cold = await RegisterAsync(cluster, "cold", 4, OnnxModels.Small, load: false);
        var clients = new[] { cluster.Client(0), cluster.Client(1) };

        await using var load = await OpenLoad.StartAsync(cluster, loaded);
        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        var start = load.Elapsed;
        await cluster.Redis.StopAsync();
        await load.GoOnAsync(gone / 2);
        var refused = await clients[0].InferAsync(cold[0].Model, Patience);
        var (status, retryAfter) = await PostAsync(cluster, cluster.Gateways[1], cold[1].Model);
        Assert.True(refused is { Status: StatusCode.Unavailable, HasRetryHint: true }, $"{refused}");
        Assert.Equal((503, true), (status, retryAfter));
        await load.UntilAsync(start + gone);
        await cluster.Redis.StartAsync();

        for (var i = 0; i < cold.Count; i++)
        {
            var (client, model) = (clients[i % 2], cold[i]);
            await cluster.AnswersAsync(client, model.Model, model.Numbers[0], BackIn);
        }

        await load.GoOnAsync(TimeSpan.FromSeconds(2));
        var report = await load.StopAsync();
        Output.WriteLine($"{report}; cold: {refused}");
        report.AssertNoFailure();
        report.AssertNoneSlowerThan(TimeSpan.FromSeconds(1), "Redis was gone");
        Assert.Equal(3, (await cluster.ViewAsync()).Active.Count);
        await OncePerModelAsync(cluster, [.. loaded, .. cold]);
    }

    private static async Task<(int Status, bool RetryAfter)> PostAsync(TestCluster cluster, ClusterProcess gateway, string model)
    {
        using var body = new StringContent("""{"inputs":[{"name":"X","datatype":"FP32","shape":[1],"data":[0]}]}""", Encoding.UTF8, "application/json");
        using var answer = await cluster.Http.PostAsync(new Uri($"{gateway.HttpUrl}/v2/models/{model}/infer"), body);
        return ((int)answer.StatusCode, answer.Headers.RetryAfter is not null);
    }
}
