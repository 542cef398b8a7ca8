namespace Cluster.Conformance.Clients;

/// <summary>How a unary call ended.</summary>
/// <param name="Code">The status as gRPC spells it, such as <c>NOT_FOUND</c>.</param>
/// <param name="Details">The status message; where the client itself ended the call, in that client's own words.</param>
/// <param name="Response">Null unless the call ended with <c>OK</c>.</param>
/// <param name="InitialMetadata">
/// Lower-case keys; values of one key joined with ", ", binary ones in base64. grpcio drops it when the call is cancelled.
/// </param>
/// <param name="Trailers">In the form of <paramref name="InitialMetadata"/>.</param>
/// <param name="Elapsed">As the client saw it, without the way to and from the driver.</param>
public sealed record GrpcResult<T>(
    string Code,
    string Details,
    T? Response,
    IReadOnlyDictionary<string, string> InitialMetadata,
    IReadOnlyDictionary<string, string> Trailers,
    TimeSpan Elapsed)
    where T : class;

/// <summary>How a streaming call ended, and what had arrived by then. The members are those of <see cref="GrpcResult{T}"/>.</summary>
public sealed record GrpcStreamResult<T>(
    string Code,
    string Details,
    IReadOnlyList<T> Responses,
    IReadOnlyDictionary<string, string> InitialMetadata,
    IReadOnlyDictionary<string, string> Trailers,
    TimeSpan Elapsed)
    where T : class;

/// <summary>What a closed loop of calls saw.</summary>
/// <param name="Counts">Calls by gRPC status.</param>
/// <param name="Details">The first status message of each status.</param>
/// <param name="Elapsed">From the first call to the last answer.</param>
public sealed record LoadResult(IReadOnlyDictionary<string, long> Counts, IReadOnlyDictionary<string, string> Details, TimeSpan Elapsed);
