using System.Collections.Immutable;

namespace Cluster.Grains.Placement;

/// <summary>
/// Where copies were placed a moment ago by this process. A copy that is to be placed again so soon was refused there: what others know of that silo is
/// out of date. Safe from any thread.
/// </summary>
internal sealed class RecentPlacements(TimeProvider time)
{
    /// <summary>A silo's news take less to get around.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Queue<(string Copy, SiloAddress Silo, long At)> _recent = new();

    public ImmutableHashSet<SiloAddress> Of(string copy)
    {
        lock (_lock)
        {
            ForgetLocked();
            return [.. _recent.Where(placed => placed.Copy == copy).Select(static placed => placed.Silo)];
        }
    }

    public void Add(string copy, SiloAddress silo)
    {
        lock (_lock)
        {
            ForgetLocked();
            _recent.Enqueue((copy, silo, time.GetTimestamp()));
        }
    }

    private void ForgetLocked()
    {
        while (_recent.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) > Life)
        {
            _recent.Dequeue();
        }
    }
}
