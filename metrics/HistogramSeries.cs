using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Cluster.Metrics;

/// <summary>A histogram's buckets for one combination of labels. Recording is thread-safe, lock-free and allocates nothing.</summary>
public sealed class HistogramSeries : MetricSeries
{
    private readonly HistogramLayout _layout;
    private readonly Histogram<double>? _instrument;
    private readonly long[] _buckets;
    private Exemplar?[]? _exemplars;
    private double _sum;

    internal HistogramSeries(HistogramLayout layout, Histogram<double>? instrument, string key, KeyValuePair<string, object?>[] tags)
        : base(key, tags)
    {
        _layout = layout;
        _instrument = instrument;
        _buckets = new long[layout.Bounds.Length + 1];
    }

    /// <summary>How many values were recorded.</summary>
    public long Count
    {
        get
        {
            var count = 0L;
            for (var i = 0; i < _buckets.Length; i++)
            {
                count += Volatile.Read(ref _buckets[i]);
            }

            return count;
        }
    }

    /// <summary>The sum of recorded values. May lag behind <see cref="Count"/> by records under way.</summary>
    public double Sum => Volatile.Read(ref _sum);

    /// <summary>The counts of the buckets now.</summary>
    public HistogramCounts Read()
    {
        var counts = new long[_buckets.Length];
        for (var i = 0; i < counts.Length; i++)
        {
            counts[i] = Volatile.Read(ref _buckets[i]);
        }

        return new HistogramCounts(_layout.Bounds, counts);
    }

    /// <summary>Counts <paramref name="value"/> in its bucket; NaN is ignored.</summary>
    public void Record(double value)
    {
        if (double.IsNaN(value))
        {
            return;
        }

        Interlocked.Increment(ref _buckets[_layout.BucketOf(value)]);
        AtomicDouble.Add(ref _sum, value);

        // Enabled only while another listener, such as an OTLP exporter, reads the meter.
        if (_instrument is { Enabled: true } instrument)
        {
            instrument.Record(value, Tags);
        }
    }

    /// <summary>As <see cref="Record(double)"/>, and keeps the trace as the latest example of the value's bucket, for scrapers that read OpenMetrics.</summary>
    public void Record(double value, ActivityTraceId trace)
    {
        Record(value);
        if (!double.IsNaN(value))
        {
            var exemplars = Volatile.Read(ref _exemplars) ?? Interlocked.CompareExchange(ref _exemplars, new Exemplar?[_buckets.Length], null) ?? _exemplars;
            Volatile.Write(ref exemplars[_layout.BucketOf(value)], new Exemplar(trace, value));
        }
    }

    internal override void WriteTo(IBufferWriter<byte> output, ExpositionFormat format)
    {
        // The count is what the buckets add up to, so that a scrape amid recording agrees with itself.
        var count = 0L;
        for (var i = 0; i < _buckets.Length; i++)
        {
            count += Volatile.Read(ref _buckets[i]);
            output.Write(_layout.BucketName);
            if (Labels.Length > 0)
            {
                output.Write(Labels);
                output.Write(","u8);
            }

            output.Write(_layout.BucketEnds[i]);
            ExpositionText.WriteNumber(output, count);
            if (format == ExpositionFormat.OpenMetrics && Volatile.Read(ref _exemplars) is { } exemplars && Volatile.Read(ref exemplars[i]) is { } exemplar)
            {
                WriteExemplar(output, exemplar);
            }

            output.Write("\n"u8);
        }

        WriteTotal(output, _layout.SumName, Sum);
        WriteTotal(output, _layout.CountName, count);
    }

    private static void WriteExemplar(IBufferWriter<byte> output, Exemplar exemplar)
    {
        output.Write(" # {trace_id=\""u8);
        output.Write(Encoding.ASCII.GetBytes(exemplar.Trace.ToHexString()));
        output.Write("\"} "u8);
        ExpositionText.WriteNumber(output, exemplar.Value);
    }

    private void WriteTotal(IBufferWriter<byte> output, byte[] name, double value)
    {
        output.Write(name);
        if (Labels.Length > 0)
        {
            output.Write("{"u8);
            output.Write(Labels);
            output.Write("}"u8);
        }

        output.Write(" "u8);
        ExpositionText.WriteNumber(output, value);
        output.Write("\n"u8);
    }
}

/// <summary>A recorded value, and the trace of its request.</summary>
internal sealed record Exemplar(ActivityTraceId Trace, double Value);

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
