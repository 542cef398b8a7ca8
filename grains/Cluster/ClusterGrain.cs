using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Nodes;
using Cluster.Grains.Placement;

namespace Cluster.Grains.Cluster;

/// <inheritdoc cref="IClusterGrain"/>
/// <remarks>Keeps nothing: it puts together what its silo's replicas say.</remarks>
[Reentrant]
[GrainType(ClusterGrains.ClusterType)]
internal sealed class ClusterGrain(
    IClusterMembershipService membership, ILocalSiloDetails local, ISiloStates states) : Grain, IClusterGrain
{
    /// <inheritdoc/>
    public ValueTask<ClusterDescription> DescribeAsync()
    {
        var snapshot = membership.CurrentSnapshot;
        var nodes = snapshot.Members.Values.Where(SiloRole.HoldsModels).OrderBy(member => member.SiloAddress).Select(Describe);
        return ValueTask.FromResult(new ClusterDescription(local.ClusterId, snapshot.Version.Value, [.. nodes]));
    }

    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<string>> ReloadRepositoryAsync(CancellationToken cancellationToken) =>
        await Controller().ReloadRepositoryAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> ReadModelAsync(string model, CancellationToken cancellationToken) => Controller().ReadModelAsync(model, cancellationToken);

    /// <summary>The repository is read where it is watched.</summary>
    private IControllerGrain Controller() => GrainFactory.GetGrain<IControllerGrain>(IControllerGrain.Key);

    private NodeDescription Describe(ClusterMember member)
    {
        var node = new NodeDescription
        {
            Silo = member.SiloAddress.ToParsableString(),
            Name = member.Name,
            Status = member.Status.ToString(),
        };
        return states.TryGet(member.SiloAddress, out var state)
            ? node with
            {
                Capacity = state.Capacity,
                Used = state.Used,
                Copies = state.Copies,
                Loading = state.Loading,
                OldestIdle = state.OldestIdle,
                RequestsPerMinute = state.RequestsPerMinute,
                Labels = [.. state.Labels],
                Draining = state.Draining,
                Runtime = state.Runtime,
            }
            : node;
    }
}
