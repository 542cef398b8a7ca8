using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class CallTests
{
    [Fact]
    public async Task Call_OfEachReturnType_ReturnsTheAnswer()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IEchoGrain>("a");

        // The first round activates, the second runs inline.
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("x", await grain.Echo("x").Soon());
            Assert.Equal(3, await grain.Add(1, 2).AsTask().Soon());
            await grain.DoNothing().Soon();
            await grain.DoNothingValue().AsTask().Soon();
            Assert.Equal("y", await grain.EchoLater("y").Soon());
            Assert.Equal(7, await grain.AddLater(3, 4).AsTask().Soon());
            Assert.Equal("a", await grain.Key().Soon());
        }
    }

    [Fact]
    public async Task Call_WhenIdle_CompletesSynchronously()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IEchoGrain>("a");
        await grain.DoNothing().Soon();

        Assert.True(grain.DoNothing().IsCompletedSuccessfully);
        Assert.True(grain.Add(1, 2).AsTask().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Call_WithAnObject_PassesTheReference()
    {
        await using var silo = await TestSilo.StartAsync();
        var value = new CountState();

        Assert.Same(value, await silo.Get<IEchoGrain>("a").Same(value).AsTask().Soon());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_ThatThrows_GivesTheCallerThatException(bool activated)
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IEchoGrain>("a");
        if (activated)
        {
            await grain.DoNothing().Soon();
        }

        Assert.Equal("m1", (await Assert.ThrowsAsync<ArgumentException>(() => grain.Throw("m1").Soon())).Message);
        Assert.Equal("m2", (await Assert.ThrowsAsync<ArgumentException>(() => grain.ThrowLater("m2").Soon())).Message);
        await grain.DoNothing().Soon();
    }
}
