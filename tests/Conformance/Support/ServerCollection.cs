using Xunit;

namespace Cluster.Conformance.Support;

/// <summary>Tests of one server run one after the other; see <see cref="ServerFixture"/>.</summary>
[CollectionDefinition(Name)]
public sealed class ServerCollection : ICollectionFixture<ServerFixture>
{
    public const string Name = "server";
}
