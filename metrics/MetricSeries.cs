using System.Buffers;
using System.Text;

namespace Cluster.Metrics;

/// <summary>One line of numbers of a family: one combination of label values.</summary>
public abstract class MetricSeries
{
    private protected MetricSeries(string key, KeyValuePair<string, object?>[] tags)
    {
        Key = key;
        Tags = tags;
        Labels = Encoding.UTF8.GetBytes(key);
    }

    /// <summary>The labels as they are written, without braces. Identifies the series in its family.</summary>
    internal string Key { get; }

    internal KeyValuePair<string, object?>[] Tags { get; }

    /// <summary>How many owners share the series; guarded by the family's lock.</summary>
    internal int Holders { get; set; }

    private protected byte[] Labels { get; }

    /// <summary>Writes the series' lines.</summary>
    internal abstract void WriteTo(IBufferWriter<byte> output, ExpositionFormat format);
}
