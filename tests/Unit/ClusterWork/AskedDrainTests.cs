using Cluster.Contracts.Models;
using Cluster.Grains.Cluster;
using Cluster.Grains.Metrics;
using Cluster.Grains.Placement;
using Cluster.Grains.Replicas;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Cluster.Unit.Gateway.Traffic;
using Cluster.Unit.Grains;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.ClusterWork;

/// <summary>A silo that an operator drains, and has take replicas again.</summary>
public sealed class AskedDrainTests : IAsyncLifetime
{
    private static readonly string Leaves = $"leave {Silos.A}";
    private readonly ClusterBench _bench = new(Silos.A, Silos.B);
    private AskedDrain _drain = null!;

    public async ValueTask InitializeAsync()
    {
        _drain = _bench.Asked();
        await _drain.StartAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _drain.StopAsync(CancellationToken.None).Soon();
        _drain.Dispose();
        _bench.Dispose();
    }

    [Fact]
    public async Task Ask_WithReplicas_MovesThemAndTriesAgainWhatStays()
    {
        var moved = Enter("moved");
        Enter("stays");

        _drain.Ask(drains: true);

        Assert.True(_bench.Replicas.IsDraining);
        await LeftAsync("moved", 1);
        await LeftAsync("stays", 1);
        _bench.Replicas.Remove(moved);
        await TrafficRouterTests.UntilAsync(() =>
        {
            _bench.Time.Advance(TimeSpan.FromSeconds(5));
            return _bench.Grains.Model("stays").Silos.Count > 1;
        });
        Assert.Equal([Leaves], _bench.Grains.Model("moved").Silos);
    }

    [Fact]
    public async Task Ask_NotToDrainAnyMore_TakesReplicasAndMovesNoMore()
    {
        Enter("m");
        _bench.Grains.Model("m").Gate = new TaskCompletionSource().Task;
        _drain.Ask(drains: true);
        await LeftAsync("m", 1);

        _drain.Ask(drains: false);
        Assert.False(_bench.Replicas.IsDraining);
        _bench.Time.Advance(TimeSpan.FromMinutes(1));

        // The second drain begins once the first one has ended, though its model never answered.
        _drain.Ask(drains: true);
        await LeftAsync("m", 2);
    }

    [Fact]
    public async Task Ask_ASiloThatLeaves_LeavesAllTheSame()
    {
        await _bench.Drain().StoppingAsync(CancellationToken.None).Soon();

        _drain.Ask(drains: true);
        _drain.Ask(drains: false);

        Assert.True(_bench.Replicas.IsDraining);
    }

    [Theory]
    [InlineData("begin", 1)]
    [InlineData("begin,begin", 1)]
    [InlineData("drain,drain,undrain,undrain", 2)]
    [InlineData("drain,begin,undrain", 1)]
    public void Changes_AreToldOnceEach(string steps, int expected)
    {
        var draining = new SiloDraining();
        var told = 0;
        draining.Changed += () => told++;
        foreach (var step in steps.Split(','))
        {
            if (step == "begin")
            {
                draining.Begin();
            }
            else
            {
                draining.Ask(step == "drain");
            }
        }

        Assert.Equal(expected, told);
    }

    private Task LeftAsync(string model, int times) => TrafficRouterTests.UntilAsync(() => _bench.Grains.Model(model).Silos.Count == times);

    private ModelReplicaId Enter(string model)
    {
        var id = new ModelReplicaId(model, 1, 0, Silos.A);
        Assert.True(_bench.Cache.TryClaim(id, new ModelVersionSource(1, "/none/model.onnx", "r"), out var room));
        var statistics = new ReplicaStatisticsRecorder(_bench.Time);
        var queue = new ReplicaQueue(
            new GatedModel(1), 1, null, _bench.Workers, statistics, new ReplicaMetricsFactory(_bench.Registry).Create(model, 1, 1, 1), _bench.Time, NullLogger.Instance);
        _bench.Replicas.Add(new LocalReplica(id, new ReplicaActivity(id, room!, queue, statistics, _bench.Time) { End = () => { } }));
        return id;
    }
}
