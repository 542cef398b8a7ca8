using Cluster.ClusterTests.Support;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Registry;

/// <summary>Models and aliases that clients manage through either of two gateways.</summary>
[Collection(RoomyCluster.Name)]
public sealed class RegistryTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    private const int Models = 12;

    private static readonly TimeSpan KnownIn = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task Register_OnOneGateway_IsKnownToTheOtherAtOnce()
    {
        var cluster = await ClusterAsync();
        var clients = new[] { cluster.Client(0), cluster.Client(1) };
        var times = new List<TimeSpan>();
        for (var i = 0; i <= Models; i++)
        {
            var (name, here, there) = (cluster.Named($"model-{i}"), clients[i % 2], clients[(i + 1) % 2]);
            cluster.Registered.Put(name, OnnxModels.Small(i));
            await there.StatusAsync(name);
            await here.RegisterAsync(name);
            var registered = TimeProvider.System.GetTimestamp();
            while ((await there.StatusAsync(name)).Status == ModelStatusInfo.Types.ModelStatus.NotFound)
            {
                Assert.InRange(TimeProvider.System.GetElapsedTime(registered), TimeSpan.Zero, Patience);
            }

            times.Add(TimeProvider.System.GetElapsedTime(registered));
            AssertOk(await there.InferAsync(name, Patience), i);
        }

        // The first finds nothing compiled and no connection.
        Output.WriteLine(string.Join(' ', times.Select(static time => $"{time.TotalMilliseconds:0.0}")));
        Assert.All(times.Skip(1), static time => Assert.InRange(time, TimeSpan.Zero, KnownIn + Bounds.Noise));
    }

    [Fact]
    public async Task Register_TheSameAgain_IsNoChangeAndAnythingElseAConflict()
    {
        var cluster = await ClusterAsync();
        var (one, other) = (cluster.Client(0), cluster.Client(1));
        var (model, another) = (cluster.Named("model"), cluster.Named("another"));
        cluster.Registered.Put(model, OnnxModels.Small(1)).Put(another, OnnxModels.Small(2));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? one : other).RegisterAsync(model, load: true)));
        var conflict = await Assert.ThrowsAsync<GrpcCallException>(() => other.RegisterAsync(model, path: another));
        Assert.Equal(StatusCode.AlreadyExists, conflict.Answer.Status);
        AssertOk(await one.InferAsync(model, Patience), 1);
        Assert.Equal(1, await cluster.LoadsAsync(model));

        await other.UnregisterAsync(model);
        await cluster.UntilAsync(async () => (await one.InferAsync(model, Patience)).Status == StatusCode.NotFound, Patience);
        await one.RegisterAsync(model, path: another);
        await cluster.AnswersAsync(other, model, 2, Patience);
    }

    [Fact]
    public async Task Alias_MovedToAndFroUnderLoad_NoRequestFails()
    {
        const int Moves = 6;
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "model", 2, OnnxModels.Small, OneCopy);
        var (alias, clients) = (cluster.Named("alias"), new[] { cluster.Client(0), cluster.Client(1) });
        await clients[0].SetAliasAsync(alias, models[0].Model);

        await using var load = await OpenLoad.StartAsync(cluster, [new LoadTarget(alias, 1, 2)]);
        var settled = new List<(TimeSpan From, TimeSpan To, float Number)>();
        for (var move = 0; move < Moves; move++)
        {
            var (from, to) = (models[move % 2], models[1 - (move % 2)]);
            var status = await clients[move % 2].SetAliasAsync(alias, to.Model, expected: from.Model);
            Assert.Equal(to.Model, status.ActiveModelId);
            var known = load.Elapsed + KnownIn + Bounds.Noise;
            await load.GoOnAsync(TimeSpan.FromSeconds(0.5));
            settled.Add((known, load.Elapsed, to.Numbers[0]));
        }

        var report = await load.StopAsync();
        report.AssertNoFailure();
        report.AssertNoneSlowerThan(TimeSpan.FromSeconds(1), "the alias moves");
        foreach (var (from, to, number) in settled)
        {
            Assert.All(report.From(from).EndedBy(to).Records, record => Assert.Equal(number, record.Result.Number));
        }

        var stale = await Assert.ThrowsAsync<GrpcCallException>(() => clients[0].SetAliasAsync(alias, models[1].Model, expected: models[1].Model));
        Assert.Equal(StatusCode.FailedPrecondition, stale.Answer.Status);
    }

    [Fact]
    public async Task Alias_TargetDoesNotLoad_TheOldModelKeepsAnswering()
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "model", 1, OnnxModels.Small);
        var (alias, corrupt) = (cluster.Named("alias"), cluster.Named("corrupt"));
        cluster.Registered.Put(corrupt, OnnxModels.Corrupt());
        await cluster.Client(0).RegisterAsync(corrupt);
        await cluster.Client(0).SetAliasAsync(alias, models[0].Model);

        await using var load = await OpenLoad.StartAsync(cluster, [new LoadTarget(alias, 1)], rate: 50);
        var status = await cluster.Client(1).SetAliasAsync(alias, corrupt);
        await load.GoOnAsync(TimeSpan.FromSeconds(1));
        var report = await load.StopAsync();

        Assert.Equal(VModelStatusInfo.Types.VModelStatus.TransitionFailed, status.Status);
        Assert.Equal(models[0].Model, status.ActiveModelId);
        report.AssertNoFailure();
    }

    /// <summary>No silo is left of those that registered: everything is in Redis, and loaded when it is asked for.</summary>
    [Fact]
    [Trait("Category", "Soak")]
    public async Task AllSilosReplaced_RegistrationsAndAliasesAreStillThere()
    {
        var cluster = await ClusterAsync();
        var models = await RegisterAsync(cluster, "model", 3, OnnxModels.Small);
        var alias = cluster.Named("alias");
        await cluster.Client(0).SetAliasAsync(alias, models[1].Model);
        var tried = cluster.Named("tried");
        await cluster.Client(0).SetAliasAsync(tried, models[1].Model);
        await TrafficTests.PostAsync(cluster, 0, tried, "set?wait=true", $$"""{"candidate":"{{models[2].Model}}","percent":100}""");

        await Task.WhenAll(cluster.Silos.Select(static silo => silo.KillAsync()));
        await Task.WhenAll(cluster.Silos.Select(static silo => silo.StartAsync()));
        await cluster.WholeAsync();

        foreach (var model in models)
        {
            AssertOk(await cluster.Client(1).InferAsync(model.Model, Patience), model.Numbers[0]);
        }

        AssertOk(await cluster.Client(0).InferAsync(alias, Patience), 2);
        AssertOk(await cluster.Client(0).InferAsync(tried, Patience), 3);
    }

    /// <summary>10,000 registered models: what a gateway and a silo that start then need of time and memory.</summary>
    [Fact]
    [Trait("Category", "Soak")]
    public async Task TenThousandModels_ANewGatewayAndSilo_StartSoonAndSmall()
    {
        const int Many = 10_000;
        const int AtOnce = 32;
        await using var cluster = await OwnClusterAsync(new ClusterSetup { Silos = 2 });
        cluster.Registered.Put("content", OnnxModels.Small(1));
        var clients = new[] { cluster.Client(0), cluster.Client(1) };
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Many),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (i, _) => await clients[i % 2].RegisterAsync($"model-{i}", path: "content"));

        var start = TimeProvider.System.GetTimestamp();
        var gateway = await cluster.AddGatewayAsync();
        using var client = new MeshClient(gateway.GrpcTarget);
        await cluster.UntilAsync(async () => (await client.InferAsync($"model-{Many - 1}", Patience)).IsOk, Patience);
        var gatewayTime = TimeProvider.System.GetElapsedTime(start);
        start = TimeProvider.System.GetTimestamp();
        var silo = await cluster.AddSiloAsync();
        await cluster.WholeAsync();
        var siloTime = TimeProvider.System.GetElapsedTime(start);

        Output.WriteLine($"gateway: {gatewayTime.TotalSeconds:0.0} s, {ProcessVitals.Of(gateway.Id)}; silo: {siloTime.TotalSeconds:0.0} s, {ProcessVitals.Of(silo.Id)}");
        Assert.InRange(gatewayTime, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.InRange(siloTime, TimeSpan.Zero, TimeSpan.FromSeconds(15));
        Assert.InRange(ProcessVitals.Of(gateway.Id).ResidentMiB, 0, 400);
        Assert.InRange(ProcessVitals.Of(silo.Id).ResidentMiB, 0, 400);
    }
}
