using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Support;

/// <summary>Three silos and two gateways, each a machine of its own.</summary>
[CollectionDefinition(Name)]
public sealed class NetworkCluster : SharedCluster, ICollectionFixture<NetworkCluster>
{
    public const string Name = "cluster in a network";

    private protected override ClusterSetup Setup()
    {
        Requires.NoLack(NetworkLab.MissingReason);
        return new() { Network = new NetworkLab() };
    }
}
