using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Support;

/// <summary>Three silos with room for everything, the first with labels, and two gateways.</summary>
[CollectionDefinition(Name)]
public sealed class RoomyCluster : SharedCluster, ICollectionFixture<RoomyCluster>
{
    public const string Name = "roomy cluster";

    private protected override ClusterSetup Setup() => new() { Labels = ["gpu,ssd"] };
}
