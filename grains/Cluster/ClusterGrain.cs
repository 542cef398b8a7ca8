using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Serving;
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

/// <summary>What the policy of placement would say now of each silo, for one more replica of each version. Chooses and changes nothing.</summary>
internal sealed class PlacementAnswers(
    IRegistrations registrations, IServingStates states, PlacementRequests requests, SiloView silos, PlacementOptions options)
{
    public ImmutableArray<PlacementDescription> Explain(string model) =>
        registrations.TryGet(model, out var registration)
            ? [.. registration.Versions.OrderByDescending(static source => source.Version).Select(source => Explain(registration, source))]
            : [];

    private PlacementDescription Explain(ModelRegistration registration, ModelVersionSource source)
    {
        var version = states.TryGet(registration.Name, out var state) ? state.Versions.FirstOrDefault(candidate => candidate.Version == source.Version) : null;
        ImmutableArray<SiloAddress> holders = version is null ? [] : [.. version.Replicas.Concat(version.Arriving).Select(static replica => replica.Silo)];
        var request = requests.Of(registration, source, holders, version is null ? [] : version.FailedOn.Select(SiloAddress.FromParsableString));
        var all = silos.Active();
        ImmutableArray<SiloVerdict> verdicts = [.. PlacementPolicy.Judge(all, request, options)];
        var fitsNowhere = holders.IsEmpty && !verdicts.Any(static verdict => verdict.Fits);
        return new PlacementDescription(source.Version, request.Bytes, source.Problem ?? (fitsNowhere ? PlacementPolicy.Explain(all, request) : null), verdicts);
    }
}
/// <summary>That of the silo in its key.</summary>
[Reentrant, SiloPlacement, GrainDirectory(KeyDirectory.Silos)]
[GrainType(ClusterGrains.ClusterType)]
internal sealed class ClusterGrain(
    IClusterMembershipService membership, ILocalSiloDetails local, IKnownSilos silos, ClusterFigures figures, PlacementAnswers placement)
    : ClusterAnswers(membership, local, silos, figures, placement);

/// <summary>That of whichever silo Orleans places it on: gateways of versions before ask it.</summary>
[Reentrant]
[GrainType(ClusterGrains.FormerClusterType)]
internal sealed class FormerClusterGrain(
    IClusterMembershipService membership, ILocalSiloDetails local, IKnownSilos silos, ClusterFigures figures, PlacementAnswers placement)
    : ClusterAnswers(membership, local, silos, figures, placement);
