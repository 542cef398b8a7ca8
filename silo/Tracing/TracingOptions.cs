using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Silo.Tracing;

/// <summary>Traces of requests, by W3C's <c>traceparent</c>, and of loads.</summary>
[Section("Tracing")]
public sealed class TracingOptions
{
    /// <summary>OpenTelemetry's own variable for <see cref="Endpoint"/>.</summary>
    internal const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    internal const string EndpointKey = $"Tracing:{nameof(Endpoint)}";

    /// <summary>
    /// The collector that takes spans by OTLP, such as <c>http://collector:4317</c>; over HTTP, <c>/v1/traces</c> is added to it. None, the default, makes no spans
    /// at all. The variable <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> sets it too. Spans that the collector does not take are lost.
    /// </summary>
    [CollectorUrl]
    public string? Endpoint { get; set; }

    /// <summary>How spans are sent. None, the default, leaves it to the variable <c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, and without that to gRPC.</summary>
    public TraceProtocol? Protocol { get; set; }

    /// <summary>
    /// The share of traces that is recorded, of those that begin here. A request with a <c>traceparent</c> belongs to a trace that began elsewhere. None, the default,
    /// leaves it to the variable <c>OTEL_TRACES_SAMPLER</c>, and without that records all. More costs time on each request. Less finds rare ones less often.
    /// </summary>
    [Range(0.0, 1.0)]
    public double? SampleRatio { get; set; }

    /// <summary>
    /// True: a trace that a request names goes on in the calls between grains. Default false. True makes activities for those requests and adds a header to
    /// their calls, and they are exported where there is an <see cref="Endpoint"/>. Exported spans continue between processes without it too.
    /// </summary>
    public bool Propagate { get; set; }

    internal bool IsExporting => Endpoint is not null;
}

/// <summary>The forms of OTLP.</summary>
public enum TraceProtocol
{
    /// <summary>gRPC, by habit on port 4317.</summary>
    Grpc,

    /// <summary>Protocol Buffers over HTTP/1.1, by habit on port 4318.</summary>
    HttpProtobuf,
}

internal sealed class CollectorUrlAttribute() : TextAttribute("a URL that begins with http:// or https://")
{
    protected override bool IsRight(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps) && url.Query.Length == 0;
}
