using Cluster.Contracts.Registry;

namespace Cluster.Grains.Aliases;

/// <summary>What an alias's grain keeps.</summary>
[GenerateSerializer, Alias("alias-grain-state")]
public sealed record AliasGrainState
{
    /// <summary>Null where there is no such alias.</summary>
    [Id(0)]
    public AliasState? Alias { get; init; }

    /// <summary>Of the latest rule that the alias has had; 0 for none.</summary>
    [Id(1)]
    public long LastRevision { get; init; }
}
