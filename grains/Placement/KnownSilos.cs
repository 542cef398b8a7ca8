using System.Collections.Immutable;
using Cluster.Contracts.Nodes;

namespace Cluster.Grains.Placement;

/// <inheritdoc cref="IKnownSilos"/>
internal sealed class KnownSilos(IClusterMembershipService membership, ISiloStates states) : IKnownSilos
{
    /// <inheritdoc/>
    public ImmutableArray<NodeDescription> All =>
        [.. membership.CurrentSnapshot.Members.Values.Where(SiloRole.HoldsModels).OrderBy(static member => member.SiloAddress).Select(Describe)];

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
                Disagrees = state.Disagrees,
                Runtime = state.Runtime,
            }
            : node;
    }
}

/// <inheritdoc cref="IRuntimeVersions"/>
internal sealed class RuntimeVersions(ISiloStates states) : IRuntimeVersions
{
    public IEnumerable<string> All => states.All.Select(static state => state.Runtime).Where(static runtime => runtime.Length > 0).Distinct().Order(StringComparer.Ordinal);
}
