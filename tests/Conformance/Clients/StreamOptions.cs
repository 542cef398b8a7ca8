namespace Cluster.Conformance.Clients;

/// <summary>How a streaming call sends its requests and when it ends.</summary>
public sealed record StreamOptions : CallOptions
{
    /// <summary>False: the client never ends its side, so that only the server, the deadline or a cancel ends the call.</summary>
    public bool HalfClose { get; init; } = true;

    /// <summary>Each request is sent only after as many responses as requests before it.</summary>
    public bool Lockstep { get; init; }

    /// <summary>The client cancels after this many responses, which ends the call with <c>CANCELLED</c>; null: never.</summary>
    public int? MaxResponses { get; init; }
}
