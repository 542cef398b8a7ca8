using Cluster.Contracts.Models;
using Cluster.Grains.Metrics;
using Cluster.Grains.Placement;
using Cluster.Grains.Replicas;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Cluster.Unit.Grains;
using Xunit;

namespace Cluster.Unit.ClusterWork;

public sealed class SiloDrainTests
{
    private static readonly string Leaves = $"leave {Silos.A}";

    [Fact]
    public async Task Stopping_OthersAreThere_SaysSoAndHasEveryModelLeaveFourAtOnce()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B);
        var gate = new TaskCompletionSource();
        var models = Enumerable.Range(0, 6).Select(number => $"m{number}").ToList();
        foreach (var model in models)
        {
            Enter(bench, model);
            bench.Grains.Model(model).Gate = gate.Task;
        }

        var stopping = bench.Drain().StoppingAsync(CancellationToken.None);

        Assert.True(bench.Draining.HasBegun);
        Assert.True(bench.Replicas.IsDraining);
        var limit = Task.Delay(Wait.Limit);
        while (models.Count(model => !bench.Grains.Model(model).Silos.IsEmpty) < 4 && !limit.IsCompleted)
        {
            await Task.Yield();
        }

        Assert.Equal(4, models.Count(model => !bench.Grains.Model(model).Silos.IsEmpty));
        gate.SetResult();
        await stopping.Soon();
        Assert.All(models, model => Assert.Equal([Leaves], bench.Grains.Model(model).Silos));
    }

    [Fact]
    public async Task Stopping_Alone_DoesNothing()
    {
        using var bench = new ClusterBench(Silos.A);
        Enter(bench, "m");

        await bench.Drain().StoppingAsync(CancellationToken.None).Soon();

        Assert.Empty(bench.Grains.Model("m").Silos);
        Assert.False(bench.Draining.HasBegun);
    }

    [Fact]
    public async Task Stopping_TheOthersLeaveToo_DoesNothing()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B);
        bench.SiloStates.Publish(new SiloState { Silo = Silos.B, Capacity = 1, Draining = true });

        await bench.Drain().StoppingAsync(CancellationToken.None).Soon();

        Assert.False(bench.Replicas.IsDraining);
    }

    [Fact]
    public async Task Stopping_AModelDoesNotGetDone_EndsWithinItsShareOfTheTime()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B);
        Enter(bench, "m");
        bench.Grains.Model("m").Gate = new TaskCompletionSource().Task;

        var stopping = bench.Drain().StoppingAsync(CancellationToken.None);
        Assert.False(stopping.IsCompleted);
        bench.Time.Advance(bench.Options.StopTimeout * bench.Options.DrainShare);

        await stopping.Soon();
    }

    private static void Enter(ClusterBench bench, string model)
    {
        var id = new ModelReplicaId(model, 1, 0, Silos.A);
        Assert.True(bench.Cache.TryClaim(id, new ModelVersionSource(1, "/none/model.onnx", "r"), out var room));
        var statistics = new ReplicaStatisticsRecorder(bench.Time);
        var metrics = new ReplicaMetricsFactory(bench.Registry).Create(model, 1, 1, 1);
        var queue = new ReplicaQueue(new GatedModel(1), 1, null, bench.Workers, statistics, metrics, bench.Time, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        bench.Replicas.Add(new LocalReplica(id, new ReplicaActivity(id, room!, queue, statistics, bench.Time) { End = () => { } }));
    }
}
