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
internal sealed class ReplicaGauge(ModelReplicaId id, CacheEntry room, ReplicaQueue queue, ReplicaMetrics metrics, int concurrency, TimeProvider time)
{
    /// <summary>Shorter ones would show noise; longer ones lag.</summary>
    private static readonly TimeSpan MinWindow = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly long _loaded = time.GetTimestamp();
    private Look? _before;
    private Look? _last;

    public ReplicaFigures Read()
    {
        lock (_lock)
        {
            var now = new Look(time.GetTimestamp(), metrics.InferenceTimes, metrics.WaitTimes);
            if (time.GetElapsedTime(_last?.At ?? _loaded, now.At) >= MinWindow)
            {
                (_before, _last) = (_last, now);
            }

            var runs = now.Runs.Since(_before?.Runs);
            var waits = now.Waits.Since(_before?.Waits);
            return new ReplicaFigures
            {
                Replica = id,
                Bytes = room.Bytes,
                Idle = now.Waits.Total > 0 ? room.IdleTime : null,
                Waiting = queue.Waiting,
                Running = queue.Running,
                Concurrency = concurrency,
                Rejected = metrics.Refused,
                Window = time.GetElapsedTime(_before?.At ?? _loaded, now.At),
                Requests = waits.Total,
                RunMedian = Microseconds(runs.Quantile(0.5)),
                RunP99 = Microseconds(runs.Quantile(0.99)),
                WaitP99 = Microseconds(waits.Quantile(0.99)),
            };
        }
    }

    private static TimeSpan? Microseconds(double? value) => value is { } given ? TimeSpan.FromMicroseconds(given) : null;

    private sealed record Look(long At, HistogramCounts Runs, HistogramCounts Waits);
}
