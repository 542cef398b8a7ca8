namespace Cluster.Conformance.Clients;

/// <summary>How a streaming call ended, and what had arrived by then. The members are those of <see cref="GrpcResult{T}"/>.</summary>
public sealed record GrpcStreamResult<T>(
    string Code,
    string Details,
    IReadOnlyList<T> Responses,
    IReadOnlyDictionary<string, string> InitialMetadata,
    IReadOnlyDictionary<string, string> Trailers,
    TimeSpan Elapsed)
    where T : class;
