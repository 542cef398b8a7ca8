using Cluster.Contracts.Models;
using Xunit;

namespace Cluster.Unit.Wire;

public sealed class ModelIdentityTests
{
    [Theory]
    [InlineData("m", 1, 0, "127.0.0.1:11111@7")]
    [InlineData("größe.v2", long.MaxValue, int.MaxValue, "10.1.2.3:1@2147483647")]
    [InlineData("a@b", 2, 3, "[::1]:11111@7")]
    public void TryParse_OwnText_ComesBack(string model, long version, int number, string silo)
    {
        var id = new ModelReplicaId(model, version, number, SiloAddress.FromParsableString(silo));

        Assert.True(ModelReplicaId.TryParse(id.ToString(), out var parsed));
        Assert.Equal(id, parsed);
        Assert.Equal($"{model}/{version}/{number}@{id.Silo.ToParsableString()}", id.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("m/1/0")]
    [InlineData("m/1@127.0.0.1:1@1")]
    [InlineData("m/1/0/0@127.0.0.1:1@1")]
    [InlineData("/1/0@127.0.0.1:1@1")]
    [InlineData("m/0/0@127.0.0.1:1@1")]
    [InlineData("m/-1/0@127.0.0.1:1@1")]
    [InlineData("m/1/-1@127.0.0.1:1@1")]
    [InlineData("m/+1/0@127.0.0.1:1@1")]
    [InlineData("m/1.0/0@127.0.0.1:1@1")]
    [InlineData("m/9223372036854775808/0@127.0.0.1:1@1")]
    [InlineData("m/1/2147483648@127.0.0.1:1@1")]
    [InlineData("m/01/0@127.0.0.1:1@1")]
    [InlineData("m/1/00@127.0.0.1:1@1")]
    [InlineData("m/1/0@")]
    [InlineData("m/1/0@x")]
    [InlineData("m/1/0@127.0.0.1")]
    [InlineData("m/1/0@127.0.0.1:1")]
    [InlineData("m/1/0@127.0.0.1:1@")]
    [InlineData("m/1/0@127.0.0.1:99999@1")]
    [InlineData("m/1/0@127.0.0.1:1@99999999999999999999")]
    [InlineData("m/1/0@127.0.0.1:01@1")]
    public void TryParse_AnythingElse_IsNoKey(string key)
    {
        Assert.False(ModelReplicaId.TryParse(key, out var id));
        Assert.Equal(default, id);
    }

    [Theory]
    [InlineData(0, long.MaxValue, "-1")]
    [InlineData(4, 4, "4")]
    [InlineData(0, 0, "0")]
    [InlineData(1, 8, "1:8")]
    public void DimensionRange_Text_IsTheConfigurations(long min, long max, string text) => Assert.Equal(text, new DimensionRange(min, max).ToString());

    [Fact]
    public void DimensionRange_Contains_IncludesBothEnds()
    {
        var range = new DimensionRange(2, 4);

        Assert.Equal([false, true, true, true, false], new long[] { 1, 2, 3, 4, 5 }.Select(range.Contains));
        Assert.True(DimensionRange.Any.Contains(0));
        Assert.True(DimensionRange.Any.Contains(long.MaxValue));
        Assert.False(DimensionRange.Any.Contains(-1));
        Assert.True(DimensionRange.Exactly(3).Contains(3));
        Assert.False(DimensionRange.Exactly(3).Contains(2));
    }

    public static TheoryData<VersionPolicy, long[], long[]> Selections => new()
    {
        { VersionPolicy.LatestOne, [1, 3, 2], [3] },
        { VersionPolicy.LatestOne, [], [] },
        { VersionPolicy.Latest(2), [1, 3, 2], [3, 2] },
        { VersionPolicy.Latest(5), [1, 3], [3, 1] },
        { VersionPolicy.Latest(2), [3, 3, 1], [3, 1] },
        { VersionPolicy.All, [2, 1, 10], [10, 2, 1] },
        { VersionPolicy.Specific([5, 1, 1]), [1, 2, 5, 6], [5, 1] },
        { VersionPolicy.Specific([7]), [1, 2], [] },
        { VersionPolicy.Specific([]), [1, 2], [] },
    };

    [Theory]
    [MemberData(nameof(Selections))]
    public void Select_ByPolicy_TakesThoseHighestFirst(VersionPolicy policy, long[] available, long[] expected) =>
        Assert.Equal(expected, policy.Select(available));

    [Fact]
    public void Equals_SamePolicy_InAnyOrder()
    {
        Assert.Equal(VersionPolicy.Specific([2, 1]), VersionPolicy.Specific([1, 2, 2]));
        Assert.Equal(VersionPolicy.Specific([2, 1]).GetHashCode(), VersionPolicy.Specific([1, 2]).GetHashCode());
        Assert.NotEqual(VersionPolicy.Specific([1, 2]), VersionPolicy.Specific([1, 3]));
        Assert.NotEqual(VersionPolicy.Latest(1), VersionPolicy.Latest(2));
        Assert.NotEqual(VersionPolicy.LatestOne, VersionPolicy.All);
        Assert.Throws<ArgumentOutOfRangeException>(() => VersionPolicy.Latest(0));
    }
}
