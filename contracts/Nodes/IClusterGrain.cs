using System.Collections.Immutable;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Nodes;

/// <summary>The cluster as a whole, for operators, as one silo sees it; the key is that silo's address in its parsable form.</summary>
[Alias("cluster")]
public interface IClusterGrain : IGrainWithStringKey
{
    /// <summary>The silos and what they hold now.</summary>
    [AlwaysInterleave, Alias("describe")]
    ValueTask<ClusterDescription> DescribeAsync();

    /// <summary>What placement thinks of each silo for each version of a model, highest first; none for a model that is not registered.</summary>
    [AlwaysInterleave, Alias("explain")]
    ValueTask<ImmutableArray<PlacementDescription>> ExplainAsync(string model);

    /// <summary>Has a silo take nothing new and move its replicas elsewhere, or take replicas again. Returns before they have moved.</summary>
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
