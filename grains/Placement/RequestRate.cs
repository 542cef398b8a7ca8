namespace Cluster.Grains.Placement;

/// <summary>Requests in the last minute, from a total that is looked at now and then. Not safe for use by several threads.</summary>
internal sealed class RequestRate(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private readonly Queue<(long At, long Total)> _looks = new();
    private long _last;

    /// <param name="total">Requests since the start of the process.</param>
    public double Read(long total)
    {
        var now = time.GetTimestamp();
        if (_looks.Count == 0 || time.GetElapsedTime(_last, now) >= Step)
        {
            _looks.Enqueue((now, total));
            _last = now;
        }

        // The oldest look that is kept is at least as old as the window, or the first one there was.
        while (_looks.Count > 1 && time.GetElapsedTime(_looks.ElementAt(1).At, now) >= Window)
        {
            _looks.Dequeue();
        }

        return total - _looks.Peek().Total;
    }
}
