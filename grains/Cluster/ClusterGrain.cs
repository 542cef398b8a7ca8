using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Nodes;
using Cluster.Grains.Placement;
using Orleans.GrainDirectory;

namespace Cluster.Grains.Cluster;

/// <inheritdoc cref="IClusterGrain"/>
/// <remarks>Keeps nothing: it puts together what its silo's replicated maps say, and what the silos answer.</remarks>
[Reentrant, SiloPlacement, GrainDirectory(KeyDirectory.Silos)]
[GrainType(ClusterGrains.ClusterType)]
internal sealed class ClusterGrain(
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
    public async ValueTask<NodeDescription> DrainAsync(string silo, bool drains)
    {
        var active = silos.All.Where(static node => node.Status == nameof(SiloStatus.Active)).ToList();
        var found = active.Where(node => node.Silo == silo).ToList() is { Count: 1 } exact ? exact : [.. active.Where(node => node.Name == silo)];
        if (found is not [var node])
        {
            throw new ServingException(found.Count == 0
                ? Failure.NotFound($"silo '{silo}' is not found among those that are active")
                : Failure.InvalidArgument($"{found.Count} active silos are called '{silo}', expected an address such as '{found[0].Silo}'"));
        }

        if (drains && !active.Exists(other => other.Silo != node.Silo && !other.Draining))
        {
            throw new ServingException(new Failure(
                StatusCode.FailedPrecondition, $"silo '{node.Silo}' is the only one that takes replicas; start another one before, or end the drain of one"));
        }

        await GrainFactory.GetGrain<ISiloDrainGrain>(node.Silo).AskAsync(drains);
        return node with { Draining = drains };
    }

    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<string>> ReloadRepositoryAsync(CancellationToken cancellationToken) =>
        await Controller().ReloadRepositoryAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> ReadModelAsync(string model, CancellationToken cancellationToken) => Controller().ReadModelAsync(model, cancellationToken);

    /// <summary>The repository is read where it is watched.</summary>
    private IControllerGrain Controller() => GrainFactory.GetGrain<IControllerGrain>(IControllerGrain.Key);
}
