using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Cluster.Metrics;

/// <summary>What all series of a histogram share: the bounds and the texts written around each number.</summary>
internal sealed class HistogramLayout
{
    public HistogramLayout(string name, IEnumerable<double> bounds)
    {
        Bounds = [.. bounds];
        for (var i = 0; i < Bounds.Length; i++)
        {
            if (!double.IsFinite(Bounds[i]) || (i > 0 && Bounds[i] <= Bounds[i - 1]))
            {
                throw new ArgumentException(
                    string.Create(CultureInfo.InvariantCulture, $"Histogram '{name}': bound {i} is {Bounds[i]}, not finite or not above the one before."), nameof(bounds));
            }
        }

        BucketName = Encoding.UTF8.GetBytes(name + "_bucket{");
        SumName = Encoding.UTF8.GetBytes(name + "_sum");
        CountName = Encoding.UTF8.GetBytes(name + "_count");
        BucketEnds = [.. Bounds.Append(double.PositiveInfinity).Select(bound => Encoding.UTF8.GetBytes($"le=\"{ExpositionText.Number(bound)}\"}} "))];
    }

    public double[] Bounds { get; }

    public byte[] BucketName { get; }

    public byte[] SumName { get; }

    public byte[] CountName { get; }

    /// <summary>Of each bucket the <c>le</c> label, the closing brace and the space before the number.</summary>
    public ImmutableArray<byte[]> BucketEnds { get; }

    /// <summary>The index of the first bound that is not below <paramref name="value"/>; the number of bounds if there is none.</summary>
    public int BucketOf(double value)
    {
        var bounds = Bounds;
        var low = 0;
        var high = bounds.Length;
        while (low < high)
        {
            var middle = (int)((uint)(low + high) >> 1);
            if (value <= bounds[middle])
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}

/// <summary>Upper bounds of histogram buckets, ascending, inclusive; the bucket above the last is implied.</summary>
public static class HistogramBounds
{
    /// <summary>Times in µs: ⌊10 × 1.8^i⌋ for i = 0…32, 10 µs to about 25 minutes. The bounds of OpenVINO Model Server, so that its dashboards fit.</summary>
    public static ImmutableArray<double> Microseconds { get; } = [.. Enumerable.Range(0, 33).Select(i => Math.Floor(10 * Math.Pow(1.8, i)))];

    /// <summary>Times in seconds, 5 ms to 10 s: for instruments that advise no bounds.</summary>
    public static ImmutableArray<double> Seconds { get; } = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    /// <summary>Sizes and counts: powers of two, 1 to 1024.</summary>
    public static ImmutableArray<double> PowersOfTwo { get; } = [.. Enumerable.Range(0, 11).Select(i => Math.Pow(2, i))];

    /// <summary>Anything else: powers of ten with steps 1, 2.5 and 5, 1 to 10⁹.</summary>
    public static ImmutableArray<double> General { get; } =
        [.. Enumerable.Range(0, 9).SelectMany(i => new[] { 1, 2.5, 5 }.Select(step => step * Math.Pow(10, i))), 1e9];
}
