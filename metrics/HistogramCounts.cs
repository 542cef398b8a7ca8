namespace Cluster.Metrics;

/// <summary>How many values each bucket of a histogram has counted.</summary>
public sealed class HistogramCounts
{
    private readonly double[] _bounds;
    private readonly long[] _counts;

    internal HistogramCounts(double[] bounds, long[] counts)
    {
        _bounds = bounds;
        _counts = counts;
        foreach (var count in counts)
        {
            Total += count;
        }
    }

    /// <summary>Of all buckets.</summary>
    public long Total { get; }

    /// <summary>What was counted since <paramref name="earlier"/>, which is of the same histogram; all of it where that is null.</summary>
    public HistogramCounts Since(HistogramCounts? earlier) =>
        earlier is null ? this : new HistogramCounts(_bounds, [.. _counts.Zip(earlier._counts, static (now, then) => Math.Max(0, now - then))]);

    /// <summary>The value that this share of the counted ones does not exceed, as if a bucket's values were evenly spread; null where none was counted.</summary>
    /// <param name="share">0 to 1.</param>
    public double? Quantile(double share)
    {
        if (Total == 0)
        {
            return null;
        }

        var rank = share * Total;
        var below = 0L;
        for (var i = 0; i < _bounds.Length; i++)
        {
            if (_counts[i] > 0 && below + _counts[i] >= rank)
            {
                var from = i == 0 ? 0 : _bounds[i - 1];
                return from + ((_bounds[i] - from) * Math.Max(0, rank - below) / _counts[i]);
            }

            below += _counts[i];
        }

        return _bounds[^1];
    }
}
