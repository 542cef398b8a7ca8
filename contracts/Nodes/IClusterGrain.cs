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
