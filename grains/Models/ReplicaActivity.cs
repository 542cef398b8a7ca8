using Cluster.Contracts.Models;
using Cluster.Grains.Cache;
using Cluster.Grains.Workers;

namespace Cluster.Grains.Models;

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
