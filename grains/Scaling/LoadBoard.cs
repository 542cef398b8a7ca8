using System.Collections.Immutable;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Scaling;

/// <summary>What the copies of one version reported last, put together for a decision. Not thread-safe.</summary>
internal sealed class LoadBoard
{
    private readonly Dictionary<int, (CopyLoadReport Load, DateTimeOffset At)> _loads = [];
    private readonly Dictionary<int, DateTimeOffset> _firstSeen = [];

    /// <summary>When copies were added last.</summary>
    public DateTimeOffset? Added { get; set; }

    /// <summary>When a copy was taken away last.</summary>
    public DateTimeOffset? Removed { get; set; }

    public void Take(CopyLoadReport load, DateTimeOffset now) => _loads[load.Replica.Number] = (load, now);

    /// <summary>What each of the copies has to do now.</summary>
    /// <param name="copies">Those in memory; the others are forgotten.</param>
    /// <param name="life">How long a report is believed; a copy without one is idle.</param>
    public ImmutableArray<CopyLoad> Read(ImmutableArray<int> copies, DateTimeOffset now, TimeSpan life)
    {
        foreach (var gone in _loads.Keys.Union(_firstSeen.Keys).Except(copies).ToList())
        {
            _loads.Remove(gone);
            _firstSeen.Remove(gone);
        }

        return [.. copies.Select(copy => Read(copy, now, life))];
    }

    private CopyLoad Read(int copy, DateTimeOffset now, TimeSpan life)
    {
        if (!_loads.TryGetValue(copy, out var known))
        {
            _firstSeen.TryAdd(copy, now);
            var age = now - _firstSeen[copy];
            return new CopyLoad(copy, 0, 0, age, age, TimeSpan.Zero, 0, 1);
        }

        var (load, at) = known;
        var since = now - at;
        return since <= life
            ? new CopyLoad(copy, load.RequestsPerMinute, load.Waiting, load.Idle, load.LoadedFor + since, load.MeanRunTime, load.Samples, load.Concurrency)
            : new CopyLoad(copy, 0, 0, load.Idle + since, load.LoadedFor + since, load.MeanRunTime, load.Samples, load.Concurrency);
    }
}
