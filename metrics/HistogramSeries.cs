using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.Metrics;
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

    /// <summary>The sum of what was recorded. May lag behind <see cref="Count"/> by records under way.</summary>
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

/// <summary>A value that was recorded, and the trace of what it was measured of.</summary>
internal sealed record Exemplar(ActivityTraceId Trace, double Value);
