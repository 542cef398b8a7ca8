using Cluster.Gateway.Grpc;
using Xunit;

namespace Cluster.Unit.Gateway.Grpc;

public sealed class GrpcTimeoutTests
{
    [Theory]
    [InlineData("1H", 36_000_000_000)]
    [InlineData("2M", 1_200_000_000)]
    [InlineData("3S", 30_000_000)]
    [InlineData("250m", 2_500_000)]
    [InlineData("7u", 70)]
    [InlineData("100n", 1)]
    [InlineData("101n", 2)]
    [InlineData("0S", 0)]
    [InlineData("99999999m", 999_999_990_000)]
    public void TryParse_EveryUnit_GivesItsTicks(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryParse(text, out var timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Fact]
    public void TryParse_Centuries_IsCut()
    {
        Assert.True(GrpcTimeout.TryParse("99999999H", out var timeout));
        Assert.Equal(GrpcTimeout.Longest, timeout);
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("5")]
    [InlineData("5s")]
    [InlineData("-5S")]
    [InlineData("+5S")]
    [InlineData(" 5S")]
    [InlineData("5 S")]
    [InlineData("1.5S")]
    [InlineData("123456789S")]
    [InlineData("٣S")]
    public void TryParse_Malformed_IsRefused(string text) => Assert.False(GrpcTimeout.TryParse(text, out _));
}
