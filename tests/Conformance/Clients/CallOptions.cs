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
