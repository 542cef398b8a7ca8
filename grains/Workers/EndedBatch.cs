namespace Cluster.Grains.Workers;

/// <summary>
/// Requests whose run together was to end, as it took too long. Each runs by itself then, since one bad request must harm no other. All of these runs together get
/// what one run may take. Each may take its part of what the others have left of that. Changed under the lock of its queue, read by any thread.
/// </summary>
/// <param name="limit">Of all runs.</param>
/// <param name="requests">At least 1.</param>
internal sealed class EndedBatch(TimeSpan limit, int requests)
{
    private long _left = limit.Ticks;
    private int _requests = requests;

    /// <summary>Whether the runs have taken all of it.</summary>
    public bool IsSpent => Volatile.Read(ref _left) <= 0;

    /// <summary>What the next run may take.</summary>
    public TimeSpan Part => TimeSpan.FromTicks(_left / Math.Max(1, _requests));

    /// <summary>A run is over, or does not come.</summary>
    /// <param name="taken">Zero where it did not come.</param>
    public void Ended(TimeSpan taken)
    {
        _requests--;
        Volatile.Write(ref _left, _left - taken.Ticks);
    }
}
