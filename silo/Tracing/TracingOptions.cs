using Cluster.Contracts.Options;

namespace Cluster.Silo.Tracing;

/// <summary>Traces of requests, by W3C's <c>traceparent</c>.</summary>
[Section("Tracing")]
public sealed class TracingOptions
{
    /// <summary>
    /// True: a trace that a request names goes on in the calls between grains. Default false. True makes activities for those requests and adds a header to
    /// their calls; false ends traces at the gateway.
    /// </summary>
    public bool Propagate { get; set; }
}
