using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Workers;
using Cluster.Metrics;

namespace Cluster.Grains.Models;

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
