using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Nodes;
using Cluster.Grains.Placement;
using Orleans.GrainDirectory;

namespace Cluster.Grains.Cluster;

/// <inheritdoc cref="IClusterGrain"/>
/// <remarks>Keeps nothing: it puts together what its silo's replicated maps say, and what the silos answer.</remarks>
internal abstract class ClusterAnswers(
    IClusterMembershipService membership, ILocalSiloDetails local, IKnownSilos silos, ClusterFigures figures, PlacementAnswers placement) : Grain, IClusterGrain
{
    /// <inheritdoc/>
    public async ValueTask<ClusterDescription> DescribeAsync()
    {
        var answers = await figures.ReadAsync();
        var nodes = silos.All.Select(node => answers.TryGetValue(node.Silo, out var silo)
            ? node with { TensorMemory = silo.TensorMemory, TensorMemoryLimit = silo.TensorMemoryLimit }
            : node);
        return new ClusterDescription(local.ClusterId, membership.CurrentSnapshot.Version.Value, [.. nodes])
        {
            Replicas = [.. answers.Values.SelectMany(static silo => silo.Replicas)],
            Versions = figures.Versions(),
        };
    }

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<PlacementDescription>> ExplainAsync(string model) => ValueTask.FromResult(placement.Explain(model));

    /// <inheritdoc/>
    public ValueTask<NodeDescription> DrainAsync(string silo, bool drains) => Controller().DrainAsync(silo, drains);

    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<string>> ReloadRepositoryAsync(CancellationToken cancellationToken) =>
        await Controller().ReloadRepositoryAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> ReadModelAsync(string model, CancellationToken cancellationToken) => Controller().ReadModelAsync(model, cancellationToken);

    /// <summary>What one silo does for all, such as to watch the repository.</summary>
    private IControllerGrain Controller() => GrainFactory.GetGrain<IControllerGrain>(IControllerGrain.Key);
}

/// <summary>That of the silo in its key.</summary>
[Reentrant, SiloPlacement, GrainDirectory(KeyDirectory.Silos)]
[GrainType(ClusterGrains.ClusterType)]
internal sealed class ClusterGrain(
    IClusterMembershipService membership, ILocalSiloDetails local, IKnownSilos silos, ClusterFigures figures, PlacementAnswers placement)
    : ClusterAnswers(membership, local, silos, figures, placement);

/// <summary>That of whichever silo Orleans places it on: gateways of the version before ask it.</summary>
[Reentrant]
[GrainType(ClusterGrains.FormerClusterType)]
internal sealed class FormerClusterGrain(
    IClusterMembershipService membership, ILocalSiloDetails local, IKnownSilos silos, ClusterFigures figures, PlacementAnswers placement)
    : ClusterAnswers(membership, local, silos, figures, placement);
