namespace Cluster.Conformance.Fuzz;

/// <summary>One thing to send.</summary>
/// <param name="Number">Gives the same case again, with the same seed.</param>
/// <param name="Channel">How it is sent.</param>
/// <param name="Kind">What was done to it, for the counts.</param>
/// <param name="Verb">Of HTTP; empty for gRPC.</param>
internal sealed record FuzzCase(int Number, Channel Channel, string Kind, string Verb, string Path, byte[] Body)
{
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Whether the request was left alone and must succeed.</summary>
    public bool IsValid { get; init; }

    /// <summary>The tensor that must come back; null where the model does not give its input back, or the request was damaged.</summary>
    public SeedTensor? Expected { get; init; }

    public override string ToString() =>
        $"case {Number} ({Kind}): {Verb} {Path} {string.Join(' ', Headers.Select(header => $"{header.Key}={header.Value}"))} " +
        $"{Body.Length} bytes {Convert.ToBase64String(Body.AsSpan(0, Math.Min(Body.Length, 1500)))}";
}

/// <summary>How a case reaches the server.</summary>
internal enum Channel
{
    /// <summary>A unary gRPC call.</summary>
    Grpc,

    /// <summary>A bidirectional gRPC call of which everything is sent at once.</summary>
    GrpcStream,

    /// <summary>HTTP/1.1 by a proper client.</summary>
    Rest,

    /// <summary>Bytes into the HTTP port, ended by the client.</summary>
    RawHttp,

    /// <summary>Bytes into the gRPC port, ended by the client.</summary>
    RawHttp2,
}

/// <param name="Outcome">What came back, for the counts.</param>
/// <param name="Violation">What is wrong with it; null if nothing is.</param>
internal sealed record Verdict(string Outcome, string? Violation = null);
