using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Cluster.Contracts.Metrics;

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
