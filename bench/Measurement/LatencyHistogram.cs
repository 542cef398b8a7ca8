using System.Numerics;

namespace Cluster.Bench.Measurement;

/// <summary>
/// Counts durations in fixed buckets: exact below 128 ns, then 64 buckets to each power of two, so a percentile is off by 1.6 % at most.
/// Recording allocates nothing. One thread records; merge afterwards.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBucketBits = 6;
    private const int SubBuckets = 1 << SubBucketBits;

    /// <summary>Longer than any time-out here: 2^40 ns is 18 minutes. What lasts longer counts as that.</summary>
    private const int MaxBits = 40;

    private readonly long[] _counts = new long[(MaxBits - SubBucketBits + 1) * SubBuckets];

    public long Count { get; private set; }

    /// <param name="nanoseconds">At least 0.</param>
    public void Record(long nanoseconds)
    {
        _counts[Index(Math.Clamp(nanoseconds, 0, (1L << MaxBits) - 1))]++;
        Count++;
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
    }

    /// <summary>The duration, in nanoseconds, that <paramref name="fraction"/> of all do not exceed; 0 where nothing was recorded.</summary>
    public double Percentile(double fraction)
    {
        var rank = (long)Math.Ceiling(fraction * Count);
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank && seen > 0)
            {
                return Middle(i);
            }
        }

        return 0;
    }

    private static int Index(long value)
    {
        var shift = Math.Max(0, BitOperations.Log2((ulong)value) - SubBucketBits);
        return (shift << SubBucketBits) + (int)(value >> shift);
    }

    private static double Middle(int index)
    {
        var shift = Math.Max(0, (index >> SubBucketBits) - 1);
        long lowest = (long)(index - (shift << SubBucketBits)) << shift;
        return lowest + (((1L << shift) - 1) / 2.0);
    }
}
