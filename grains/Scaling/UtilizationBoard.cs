using System.Collections.Immutable;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Scaling;

/// <summary>What the replicas of one version reported last, put together for a decision. Not thread-safe.</summary>
internal sealed class UtilizationBoard
{
    private readonly Dictionary<int, (UtilizationReport Load, DateTimeOffset At)> _loads = [];
    private readonly Dictionary<int, DateTimeOffset> _firstSeen = [];

    /// <summary>When replicas were added last.</summary>
    public DateTimeOffset? Added { get; set; }

    /// <summary>When a replica was taken away last.</summary>
    public DateTimeOffset? Removed { get; set; }

    public void Take(UtilizationReport load, DateTimeOffset now) => _loads[load.Replica.Number] = (load, now);

    /// <summary>What each of the replicas has to do now.</summary>
    /// <param name="replicas">Those in memory; the others are forgotten.</param>
    /// <param name="life">How long a report is believed; a replica without one is idle.</param>
    public ImmutableArray<ReplicaUtilization> Read(ImmutableArray<int> replicas, DateTimeOffset now, TimeSpan life)
    {
        foreach (var gone in _loads.Keys.Union(_firstSeen.Keys).Except(replicas).ToList())
        {
            _loads.Remove(gone);
            _firstSeen.Remove(gone);
        }

        return [.. replicas.Select(replica => Read(replica, now, life))];
    }

    private ReplicaUtilization Read(int replica, DateTimeOffset now, TimeSpan life)
    {
        if (!_loads.TryGetValue(replica, out var known))
        {
            _firstSeen.TryAdd(replica, now);
            var age = now - _firstSeen[replica];
            return new ReplicaUtilization(replica, 0, 0, age, age, TimeSpan.Zero, 0, 1);
        }

        var (load, at) = known;
        var since = now - at;
        return since <= life
            ? new ReplicaUtilization(replica, load.RequestsPerMinute, load.Waiting, load.Idle, load.LoadedFor + since, load.MeanRunTime, load.Samples, load.Concurrency)
            : new ReplicaUtilization(replica, 0, 0, load.Idle + since, load.LoadedFor + since, load.MeanRunTime, load.Samples, load.Concurrency);
    }
}

/// <summary>Remembers just enough of when a model was used to tell lasting use from a passing one: two moments. Immutable.</summary>
/// <param name="Earlier">A use before <paramref name="Later"/>, or null.</param>
/// <param name="Later">A use, or null; others since then are not remembered until it is old enough to count.</param>
[GenerateSerializer, Immutable, Alias("use-history")]
public readonly record struct UseHistory([property: Id(0)] DateTimeOffset? Earlier, [property: Id(1)] DateTimeOffset? Later)
{
    /// <summary>The history after a use.</summary>
    public UseHistory Used(DateTimeOffset now, ScalingOptions options)
    {
        if (Later is { } later && now - later < options.SecondCopyMinAge)
        {
            return this;
        }

        return new UseHistory(Later, now);
    }

    /// <summary>Whether a model that is used now was used long enough ago, but not too long ago, too.</summary>
    public bool IsLasting(DateTimeOffset now, ScalingOptions options) => Counts(Earlier, now, options) || Counts(Later, now, options);

    private static bool Counts(DateTimeOffset? use, DateTimeOffset now, ScalingOptions options) =>
        use is { } then && now - then >= options.SecondCopyMinAge && now - then <= options.SecondCopyMaxAge;
}
