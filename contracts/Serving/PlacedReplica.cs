namespace Cluster.Contracts.Serving;

/// <summary>A replica of a version, and where it is.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Silo">The silo that holds it.</param>
[GenerateSerializer, Immutable, Alias("placed-replica")]
public sealed record PlacedReplica([property: Id(0)] int Number, [property: Id(1)] SiloAddress Silo);
