using System.Buffers;
using System.Text;

namespace Cluster.Metrics;

/// <summary>All series of one name.</summary>
public abstract class MetricFamily
{
    private const string TotalSuffix = "_total";

    private readonly byte[] _header;
    private readonly byte[] _openMetricsHeader;

    private protected MetricFamily(string name, string help, MetricKind kind)
    {
        Name = name;
        Help = help;
        Kind = kind;
        var type = kind switch { MetricKind.Counter => "counter", MetricKind.Gauge => "gauge", _ => "histogram" };
        var isTotal = kind == MetricKind.Counter && name.EndsWith(TotalSuffix, StringComparison.Ordinal);
        var (openName, openType) = (isTotal ? name[..^TotalSuffix.Length] : name, kind == MetricKind.Counter && !isTotal ? "unknown" : type);
        _openMetricsHeader = Encoding.UTF8.GetBytes($"# HELP {openName} {ExpositionText.EscapeLabel(help)}\n# TYPE {openName} {openType}\n");
        _header = Encoding.UTF8.GetBytes($"# HELP {name} {ExpositionText.EscapeHelp(help)}\n# TYPE {name} {type}\n");
    }

    public string Name { get; }

    /// <summary>One sentence for people.</summary>
    public string Help { get; }

    public MetricKind Kind { get; }

    /// <summary>Every series, sorted by labels.</summary>
    internal abstract IReadOnlyList<MetricSeries> Snapshot();

    internal void WriteHeader(IBufferWriter<byte> output, ExpositionFormat format) => output.Write(format == ExpositionFormat.OpenMetrics ? _openMetricsHeader : _header);
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
