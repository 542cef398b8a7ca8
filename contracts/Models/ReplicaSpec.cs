namespace Cluster.Contracts.Models;

/// <summary>What a replica is to load.</summary>
[GenerateSerializer, Immutable, Alias("replica-spec")]
public sealed record ReplicaSpec(
    [property: Id(0)] ModelVersionSource Source,
    [property: Id(1)] ModelSettings Settings,
    [property: Id(2)] VersionPolicy VersionPolicy);
