namespace Cluster.Conformance.Clients;

/// <summary>What a gRPC call carries besides its message. Null means that the client's own default applies.</summary>
public record CallOptions
{
    /// <summary>Values of keys that end in <c>-bin</c> are base64.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>The deadline that is sent to the server, from the start of the call; null: none.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary><c>gzip</c>, <c>deflate</c> or <c>none</c>.</summary>
    public string? Compression { get; init; }

    /// <summary>The client cancels the call this long after its start; null: never.</summary>
    public TimeSpan? CancelAfter { get; init; }
}

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
