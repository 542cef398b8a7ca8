namespace Cluster.Bench.Load;

/// <summary>How long a load lasts.</summary>
internal sealed record LoadPlan(TimeSpan WarmUp, TimeSpan Duration);

/// <param name="Streams">Requests in flight on each connection; 1 for HTTP/1.1.</param>
internal readonly record struct LoadShape(int Connections, int Streams)
{
    private const int MaxConnections = 4;

    /// <summary>Those that the load generator may use, as <c>taskset -c</c> takes them; null for all.</summary>
    public string? Processors { get; init; }

    public int InFlight => Connections * Streams;

    /// <summary>So many requests in flight: over HTTP/2 on four connections at most.</summary>
    public static LoadShape Of(InferCall call, int inFlight)
    {
        var connections = call.IsHttp2 ? Math.Min(MaxConnections, inFlight) : inFlight;
        return new LoadShape(connections, inFlight / connections);
    }
}
