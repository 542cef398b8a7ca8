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

/// <summary>
/// What an Orleans silo of this cluster is for: it holds models, or it is a gateway, which hosts no grain class. The role stands in the silo's name, which the membership
/// table carries: so it is known with the membership. Orleans' own silo metadata is asked of each silo afterwards, and may be missing when it is needed.
/// </summary>
public static class SiloRole
{
    private const string GatewayPrefix = "gateway/";

    /// <summary>The name of a gateway's silo.</summary>
    public static string GatewayName(string name) => GatewayPrefix + name;

    /// <summary>Whether the member can hold models.</summary>
    public static bool HoldsModels(this ClusterMember member) => !member.Name.StartsWith(GatewayPrefix, StringComparison.Ordinal);

    /// <summary>The active silos that can hold models.</summary>
    public static IEnumerable<SiloAddress> ModelSilos(this ClusterMembershipSnapshot snapshot) =>
        snapshot.Members.Values.Where(static member => member.Status == SiloStatus.Active && member.HoldsModels()).Select(static member => member.SiloAddress);
}
