namespace Cluster.Contracts.Nodes;

/// <summary>What one version is to have.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Version">At least 1.</param>
/// <param name="Declared">Bytes that a replica is reckoned with before it is measured: from its files.</param>
/// <param name="Wanted">Replicas that it is to have in memory now; 0 where its next request loads it, and where it does not serve.</param>
[GenerateSerializer, Immutable, Alias("version-figures")]
public sealed record VersionFigures(
    [property: Id(0)] string Model, [property: Id(1)] long Version, [property: Id(2)] long Declared, [property: Id(3)] int Wanted);
