namespace Cluster.Contracts.Logging;

/// <summary>
/// Lets one line a minute of each cause into the log, with the number of those that it held back. So clients cannot fill a disk. Safe from any thread.
/// </summary>
public sealed class CauseLimiter(TimeProvider time)
{
    /// <summary>Time between two lines of one cause.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Above this the causes that were not seen for an interval are forgotten; those beyond it count as one.</summary>
    private const int MaxCauses = 1000;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long _swept = time.GetTimestamp() - time.TimestampFrequency;
    private readonly Dictionary<string, Line> _lines = new(StringComparer.Ordinal);

    /// <summary>Whether a line of <paramref name="cause"/> is due.</summary>
    /// <param name="heldBack">Lines of this cause since the last one.</param>
    public bool TryPass(string cause, out long heldBack)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            cause = Known(cause, now);
            heldBack = 0;
            if (!_lines.TryGetValue(cause, out var line))
            {
                _lines[cause] = new Line(now, 0);
                return true;
            }

            if (time.GetElapsedTime(line.Written, now) < Interval)
            {
                _lines[cause] = line with { HeldBack = line.HeldBack + 1 };
                return false;
            }

            heldBack = line.HeldBack;
            _lines[cause] = new Line(now, 0);
            return true;
        }
    }

    private string Known(string cause, long now)
    {
        if (_lines.Count < MaxCauses || _lines.ContainsKey(cause))
        {
            return cause;
        }

        // With many causes at once, not for each of them.
        if (time.GetElapsedTime(_swept, now) < SweepInterval)
        {
            return "";
        }

        _swept = now;
        foreach (var (old, _) in _lines.Where(entry => time.GetElapsedTime(entry.Value.Written, now) >= Interval).ToList())
        {
            _lines.Remove(old);
        }

        return _lines.Count < MaxCauses ? cause : "";
    }

    private readonly record struct Line(long Written, long HeldBack);
}
