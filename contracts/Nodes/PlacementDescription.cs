using System.Collections.Immutable;

namespace Cluster.Contracts.Nodes;

/// <summary>What placement thinks now of each silo for one more replica of a version.</summary>
/// <param name="Version">At least 1.</param>
/// <param name="Bytes">Bytes that placement expects of a replica.</param>
/// <param name="Problem">Why the version is on no silo and none can take it; else null.</param>
/// <param name="Silos">In the order of their addresses.</param>
[GenerateSerializer, Immutable, Alias("placement-description")]
public sealed record PlacementDescription(
    [property: Id(0)] long Version, [property: Id(1)] long Bytes, [property: Id(2)] string? Problem, [property: Id(3)] ImmutableArray<SiloVerdict> Silos);

/// <summary>What placement thinks of one silo.</summary>
/// <param name="Silo">In the parsable form of its address.</param>
/// <param name="Fits">Whether it could take the replica, by making room if need be.</param>
/// <param name="IsCandidate">Whether it is among those that the choice is made of.</param>
/// <param name="Reason">Why, or why not.</param>
[GenerateSerializer, Immutable, Alias("silo-verdict")]
public sealed record SiloVerdict(
    [property: Id(0)] string Silo, [property: Id(1)] bool Fits, [property: Id(2)] bool IsCandidate, [property: Id(3)] string Reason);
