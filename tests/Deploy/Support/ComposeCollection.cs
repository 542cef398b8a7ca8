using Xunit;

namespace Cluster.Deploy.Support;

/// <summary>All tests share one cluster, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class ComposeCollection : ICollectionFixture<ComposeCluster>
{
    public const string Name = "compose";
}
