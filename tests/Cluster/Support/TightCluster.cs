using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Support;

/// <summary>Three silos with room for four models of <see cref="Mebibytes"/> each, and two gateways.</summary>
[CollectionDefinition(Name)]
public sealed class TightCluster : SharedCluster, ICollectionFixture<TightCluster>
{
    public const string Name = "tight cluster";

    /// <summary>Of each silo.</summary>
    public const string Capacity = "24MiB";

    /// <summary>The size of a model that fits four times.</summary>
    public const int Mebibytes = 5;

    /// <summary>How many of them fit in all silos together.</summary>
    public const int Fitting = 12;

    // The guard counts in load times, and the first loads are the slowest: with its default, models hardly change places on a slow machine.
    private protected override ClusterSetup Setup() => new() { Capacity = Capacity, Settings = ["Cache__ChurnLoadTimes=3"] };
}
