using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Placement;
using Cluster.Grains.Workers;
using Cluster.Metrics;

namespace Cluster.Grains.Replicas;

/// <summary>The replicas of this silo, from when they are loaded until they begin to end. Safe from any thread.</summary>
internal sealed class LocalReplicas(SiloDraining draining, ILocalSiloDetails local) : ILocalReplicas
{
    private readonly ConcurrentDictionary<ModelReplicaId, LocalReplica> _replicas = new();

    /// <summary>Whether this silo is drained, as it leaves or an operator asks: it takes no replica.</summary>
    public bool IsDraining => draining.HasBegun;

    public IEnumerable<LocalReplica> All => _replicas.Values;

    /// <inheritdoc/>
    public bool IsHere(SiloAddress silo) => silo == local.SiloAddress;

    /// <inheritdoc/>
    public bool TryGet(ModelReplicaId id, [NotNullWhen(true)] out IReplica? replica)
    {
        replica = _replicas.GetValueOrDefault(id)?.Replica;
        return replica is not null;
    }

    public void Add(LocalReplica replica) => _replicas[replica.Id] = replica;

    /// <summary>A replica ends. A second call does nothing.</summary>
    public void Remove(ModelReplicaId id) => _replicas.TryRemove(id, out _);

    /// <summary>Models that have replicas here.</summary>
    public IReadOnlyCollection<string> Models() => [.. _replicas.Keys.Select(static id => id.Model).Distinct(StringComparer.Ordinal)];
}

/// <summary>A loaded replica as its silo sees it.</summary>
/// <param name="Replica">To call the replica. Null in tests that only look at its activity.</param>
/// <param name="Gauge">Its figures for people. Null in tests that only look at its activity.</param>
internal sealed record LocalReplica(ModelReplicaId Id, ReplicaActivity Activity, IReplica? Replica = null, ReplicaGauge? Gauge = null);

/// <summary>What a loaded replica does, seen from outside of its grain. <see cref="Read"/> is called by one thread at a time, the rest from any.</summary>
internal sealed class ReplicaActivity(ModelReplicaId id, CacheEntry room, ReplicaQueue queue, ReplicaStatisticsRecorder statistics, TimeProvider time)
{
    private readonly long _loaded = time.GetTimestamp();
    private ReplicaTotals _last;
    private ReplicaTotals _window;

    /// <summary>Ends it.</summary>
    public required Action End { get; init; }

    /// <summary>Has others take its place, as it runs nothing any more; null in tests of what does not.</summary>
    public Action? GiveUp { get; init; }

    /// <summary>Requests taken and answered since it was loaded.</summary>
    public long Requests => statistics.ReadTotals().Requests;

    /// <summary>Looks for runs that do not end; whether they have all slots.</summary>
    public bool IsStuck() => queue.Watch.Look();

    public TimeSpan LoadedFor => time.GetElapsedTime(_loaded);

    /// <summary>What it had to do since the last reading.</summary>
    /// <param name="interval">Since then.</param>
    /// <param name="minSamples">With fewer runs since then, the mean run time is of the time before too.</param>
    public UtilizationReport Read(TimeSpan interval, int minSamples)
    {
        var now = statistics.ReadTotals();
        var since = now - _last;
        var runs = since.Runs >= minSamples ? since : since + _window;
        _window = since.Runs >= minSamples ? since : runs.Runs >= minSamples * 2L ? since : runs;
        _last = now;
        return new UtilizationReport
        {
            Replica = id,
            RequestsPerMinute = since.Requests / Math.Max(interval.TotalMinutes, 1.0 / 6000),
            Waiting = queue.Waiting,
            Idle = room.IdleTime,
            LoadedFor = LoadedFor,
            MeanRunTime = runs.Runs == 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds(runs.RunNanoseconds / 1000.0 / runs.Runs),
            Samples = (int)Math.Min(runs.Runs, int.MaxValue),
            Concurrency = queue.Slots,
        };
    }
}

/// <summary>
/// What a loaded replica does and takes, for people. Requests pay nothing for it: a look compares what the metrics count with an earlier look. Safe from any thread.
/// </summary>
/// <remarks>Replicas of a version in a process share what is counted, one after the other too, so the first look is at construction.</remarks>
internal sealed class ReplicaGauge
{
    /// <summary>Shorter ones would show noise; longer ones lag.</summary>
    private static readonly TimeSpan MinWindow = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly ModelReplicaId _id;
    private readonly CacheEntry _room;
    private readonly ReplicaQueue _queue;
    private readonly ReplicaMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly Look _first;
    private Look _before;
    private Look _last;

    public ReplicaGauge(ModelReplicaId id, CacheEntry room, ReplicaQueue queue, ReplicaMetrics metrics, TimeProvider time)
    {
        (_id, _room, _queue, _metrics, _time) = (id, room, queue, metrics, time);
        _first = _before = _last = TakeLook();
    }

    public ReplicaFigures Read()
    {
        lock (_lock)
        {
            var now = TakeLook();
            if (_time.GetElapsedTime(_last.At, now.At) >= MinWindow)
            {
                (_before, _last) = (_last, now);
            }

            var runs = now.Runs.Since(_before.Runs);
            var waits = now.Waits.Since(_before.Waits);
            return new ReplicaFigures
            {
                Replica = _id,
                Bytes = _room.Bytes,
                Idle = now.Waits.Total > _first.Waits.Total ? _room.IdleTime : null,
                Waiting = _queue.Waiting,
                Running = _queue.Running,
                Concurrency = _queue.Slots,
                Stuck = _queue.Watch.Stuck,
                Rejected = now.Refused - _first.Refused,
                Window = _time.GetElapsedTime(_before.At, now.At),
                Requests = waits.Total,
                RunMedian = Microseconds(runs.Quantile(0.5)),
                RunP99 = Microseconds(runs.Quantile(0.99)),
                WaitP99 = Microseconds(waits.Quantile(0.99)),
            };
        }
    }

    private Look TakeLook() => new(_time.GetTimestamp(), _metrics.InferenceTimes, _metrics.WaitTimes, _metrics.Refused);

    private static TimeSpan? Microseconds(double? value) => value is { } given ? TimeSpan.FromMicroseconds(given) : null;

    private sealed record Look(long At, HistogramCounts Runs, HistogramCounts Waits, long Refused);
}
