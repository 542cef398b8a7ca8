namespace Cluster.Grains.Cluster;

/// <summary>What is done once for the whole cluster; the key is <see cref="Key"/>.</summary>
[Alias("controller")]
internal interface IControllerGrain : IGrainWithStringKey
{
    /// <summary>The key of the one grain.</summary>
    const string Key = "0";

    /// <summary>Told by a silo that the membership has changed. Models that lost replicas have been told of it when it returns.</summary>
    [AlwaysInterleave, Alias("membership-changed")]
    ValueTask MembershipChangedAsync(MembershipVersion version, CancellationToken cancellationToken);
}
