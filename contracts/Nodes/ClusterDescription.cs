using System.Collections.Immutable;

namespace Cluster.Contracts.Nodes;

/// <summary>What is known of the cluster at one moment, for people to read.</summary>
/// <param name="Id">The cluster's name.</param>
/// <param name="MembershipVersion">Larger for a later membership.</param>
/// <param name="Nodes">Every silo that is a member, dead ones for a while too, in the order of their addresses.</param>
[GenerateSerializer, Immutable, Alias("cluster-description")]
public sealed record ClusterDescription(
    [property: Id(0)] string Id, [property: Id(1)] long MembershipVersion, [property: Id(2)] ImmutableArray<NodeDescription> Nodes)
{
    /// <summary>Loaded replicas, of the silos that answered in time.</summary>
    [Id(3)]
    public ImmutableArray<ReplicaFigures> Replicas { get; init; } = [];

    /// <summary>What each registered version is to have.</summary>
    [Id(4)]
    public ImmutableArray<VersionFigures> Versions { get; init; } = [];
}
