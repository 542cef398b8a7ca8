using System.Collections.Immutable;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Nodes;

/// <summary>The cluster as a whole, for operators, as one silo sees it; the key is that silo's address in its parsable form.</summary>
[Alias("cluster")]
public interface IClusterGrain : IGrainWithStringKey
{
    /// <summary>The silos and their present replicas.</summary>
    [AlwaysInterleave, Alias("describe")]
    ValueTask<ClusterDescription> DescribeAsync();

    /// <summary>What placement thinks of each silo for each version of a model, highest first; none for a model that is not registered.</summary>
    [AlwaysInterleave, Alias("explain")]
    ValueTask<ImmutableArray<PlacementDescription>> ExplainAsync(string model);

    /// <summary>Has a silo take no new replicas and move its own elsewhere, or take replicas again. Returns before they have moved.</summary>
    /// <param name="silo">Its address in the parsable form, or the name of one that is active.</param>
    /// <returns>The silo.</returns>
    /// <exception cref="ServingException">
    /// NOT_FOUND: no silo that is active is called so. INVALID_ARGUMENT: several are. FAILED_PRECONDITION: no other silo takes replicas.
    /// </exception>
    [Alias("drain")]
    ValueTask<NodeDescription> DrainAsync(string silo, bool drains);

    /// <summary>Reads the model repository now, see <see cref="Models.IRepositoryControl.ReloadAsync"/>.</summary>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("reload-repository")]
    ValueTask<ImmutableArray<string>> ReloadRepositoryAsync(CancellationToken cancellationToken);

    /// <inheritdoc cref="Models.IRepositoryControl.ReadAsync"/>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("read-model")]
    ValueTask<bool> ReadModelAsync(string model, CancellationToken cancellationToken);
}

/// <summary>The state of the cluster at one moment, for people to read.</summary>
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

    /// <summary>The desired replicas of each registered version.</summary>
    [Id(4)]
    public ImmutableArray<VersionFigures> Versions { get; init; } = [];
}
