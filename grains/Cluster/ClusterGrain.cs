using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Nodes;

namespace Cluster.Grains.Cluster;

/// <inheritdoc cref="IClusterGrain"/>
/// <remarks>Keeps nothing that matters for long: it puts together what its silo's replicas say.</remarks>
[Reentrant]
[GrainType(ClusterGrains.ClusterType)]
internal sealed class ClusterGrain(
    IClusterMembershipService membership, ILocalSiloDetails local, IKnownSilos silos, ClusterFigures figures, PlacementAnswers placement) : Grain, IClusterGrain
{
    /// <summary>Silos that were to be drained here, of which what they publish may not be known yet.</summary>
    private readonly HashSet<string> _drained = new(StringComparer.Ordinal);

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

        if (drains && !active.Exists(other => other.Silo != node.Silo && !other.Draining && !_drained.Contains(other.Silo)))
        {
            throw new ServingException(new Failure(
                StatusCode.FailedPrecondition, $"silo '{node.Silo}' is the only one that takes replicas; start another one before, or end the drain of one"));
        }

        // Before the silo is asked: of two that are drained at once the second one has to be refused.
        var before = Note(node.Silo, drains);
        try
        {
            await GrainFactory.GetGrain<ISiloDrainGrain>(node.Silo).AskAsync(drains);
        }
        catch
        {
            Note(node.Silo, before);
            throw;
        }

        return node with { Draining = drains };
    }

    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<string>> ReloadRepositoryAsync(CancellationToken cancellationToken) =>
        await Controller().ReloadRepositoryAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> ReadModelAsync(string model, CancellationToken cancellationToken) => Controller().ReadModelAsync(model, cancellationToken);

    /// <returns>What was noted before.</returns>
    private bool Note(string silo, bool drains) => drains ? !_drained.Add(silo) : _drained.Remove(silo);

    /// <summary>The repository is read where it is watched.</summary>
    private IControllerGrain Controller() => GrainFactory.GetGrain<IControllerGrain>(IControllerGrain.Key);
}
