using System.Net;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class IdentityTests
{
    [Theory]
    [InlineData("127.0.0.1:11111@12345", "S127.0.0.1:11111:12345")]
    [InlineData("[::1]:80@-5", "S[::1]:80:-5")]
    public void SiloAddress_BothForms_ReadBack(string parsable, string printed)
    {
        var address = SiloAddress.FromParsableString(parsable);

        Assert.Equal(printed, address.ToString());
        Assert.Equal(parsable, address.ToParsableString());
        Assert.Equal(address, SiloAddress.FromParsableString(printed));
        Assert.Equal(address.GetHashCode(), SiloAddress.FromParsableString(printed).GetHashCode());
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1:11111")]
    [InlineData("S127.0.0.1:x:1")]
    [InlineData("127.0.0.1:11111@")]
    [InlineData("host:1@1")]
    public void SiloAddress_SomethingElse_IsRefused(string text) =>
        Assert.Throws<FormatException>(() => SiloAddress.FromParsableString(text));

    [Fact]
    public void SiloAddress_LaterRunOnTheSameEndPoint_IsItsSuccessor()
    {
        var first = SiloAddress.New(IPAddress.Loopback, 1, 1);
        var second = SiloAddress.New(IPAddress.Loopback, 1, 2);

        Assert.NotEqual(first, second);
        Assert.True(second.IsSuccessorOf(first));
        Assert.True(first.IsPredecessorOf(second));
        Assert.False(SiloAddress.New(IPAddress.Loopback, 2, 2).IsSuccessorOf(first));
    }

    [Fact]
    public void GrainId_WithSlashesInItsKey_ReadsBack()
    {
        var id = GrainId.Create("modelversion", "mnist/3/0");

        Assert.Equal("modelversion/mnist/3/0", id.ToString());
        Assert.Equal(id, GrainId.Parse(id.ToString()));
        Assert.Equal(id.GetHashCode(), GrainId.Parse(id.ToString()).GetHashCode());
        Assert.NotEqual(id, GrainId.Create("modelversion", "mnist/3/1"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("no-slash")]
    [InlineData("/key")]
    public void GrainId_SomethingElse_IsRefused(string? text) => Assert.False(GrainId.TryParse(text, out _));

    [Fact]
    public void ActivationId_ReadsBack()
    {
        var id = ActivationId.NewId();

        Assert.Equal(id, ActivationId.FromParsableString(id.ToParsableString()));
        Assert.NotEqual(id, ActivationId.NewId());
        Assert.Throws<FormatException>(() => ActivationId.FromParsableString("@1"));
    }
}
