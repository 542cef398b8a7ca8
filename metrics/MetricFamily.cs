using System.Buffers;
using System.Text;

namespace Cluster.Metrics;

/// <summary>All series of one name.</summary>
public abstract class MetricFamily
{
    private readonly byte[] _header;

    private protected MetricFamily(string name, string help, MetricKind kind)
    {
        Name = name;
        Help = help;
        Kind = kind;
        var type = kind switch { MetricKind.Counter => "counter", MetricKind.Gauge => "gauge", _ => "histogram" };
        _header = Encoding.UTF8.GetBytes($"# HELP {name} {ExpositionText.EscapeHelp(help)}\n# TYPE {name} {type}\n");
    }

    public string Name { get; }

    /// <summary>One sentence for people.</summary>
    public string Help { get; }

    public MetricKind Kind { get; }

    /// <summary>Every series, sorted by labels.</summary>
    internal abstract IReadOnlyList<MetricSeries> Snapshot();

    internal void WriteHeader(IBufferWriter<byte> output) => output.Write(_header);
}

/// <summary>What a family's numbers mean; the <c>TYPE</c> of the exposition format.</summary>
public enum MetricKind
{
    /// <summary>Only grows, until its series is removed.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Counts by upper bound, with sum and count.</summary>
    Histogram,
}
