namespace Cluster.Conformance.Clients;

/// <summary>What a closed loop of calls saw.</summary>
/// <param name="Counts">Calls by gRPC status.</param>
/// <param name="Details">The first status message of each status.</param>
/// <param name="Elapsed">From the first call to the last answer.</param>
public sealed record LoadResult(IReadOnlyDictionary<string, long> Counts, IReadOnlyDictionary<string, string> Details, TimeSpan Elapsed);
