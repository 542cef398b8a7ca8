using System.Numerics;

namespace Cluster.Gateway.Traffic;

/// <summary>Counts of latencies, 1 µs to 35 minutes, in steps of at most an eighth. One caller at a time.</summary>
internal sealed class LatencyCounts
{
    private const int StepBits = 3;
    private const int Steps = 1 << StepBits;
    private const int Octaves = 28;

    private readonly int[] _counts = new int[Steps * (Octaves + 1)];

    public void Add(TimeSpan latency) => _counts[IndexOf(Math.Max(0, (long)latency.TotalMicroseconds))]++;

    public void Add(LatencyCounts other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }
    }

    public void Clear() => Array.Clear(_counts);

    /// <summary>What so many of a hundred do not exceed, at most an eighth too high; zero where nothing was counted.</summary>
    public TimeSpan Percentile(int percent)
    {
        var total = _counts.Sum();
        var rank = (long)Math.Ceiling(total * (percent / 100.0));
        var seen = 0L;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (_counts[i] > 0 && seen >= rank)
            {
                return TimeSpan.FromMicroseconds(UpperBound(i));
            }
        }

        return TimeSpan.Zero;
    }

    private int IndexOf(long microseconds)
    {
        if (microseconds < Steps)
        {
            return (int)microseconds;
        }

        var octave = BitOperations.Log2((ulong)microseconds) - StepBits;
        return Math.Min(_counts.Length - 1, ((octave + 1) * Steps) + (int)((microseconds >> octave) & (Steps - 1)));
    }

    private static long UpperBound(int index) => index < Steps ? index : ((Steps + (index % Steps) + 1L) << ((index / Steps) - 1)) - 1;
}
