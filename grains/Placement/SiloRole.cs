namespace Cluster.Grains.Placement;

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
