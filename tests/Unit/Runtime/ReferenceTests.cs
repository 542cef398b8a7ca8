using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class ReferenceTests
{
    [Fact]
    public async Task Reference_TellsItsKeyAndIsEqualByIdentity()
    {
        await using var silo = await TestSilo.StartAsync();
        var reference = silo.Get<IReentrantWorkGrain>("a/b");

        Assert.Equal("a/b", reference.GetPrimaryKeyString());
        Assert.Equal(GrainId.Create("reentrantwork", "a/b"), reference.GetGrainId());
        Assert.Equal((object)reference, silo.Get<IReentrantWorkGrain>("a/b"));
        Assert.NotEqual((object)reference, silo.Get<IReentrantWorkGrain>("A/b"));
    }

    [Fact]
    public async Task GetGrain_OfAnInterfaceWithTwoClasses_TakesTheOneOfItsNameUnlessToldOtherwise()
    {
        await using var silo = await TestSilo.StartAsync();

        Assert.Equal("work", silo.Get<IWorkGrain>("a").GetGrainId().Type.ToString());
        Assert.Equal(
            "reentrantwork",
            silo.Grains.GetGrain<IWorkGrain>("a", "Cluster.Unit.Runtime.Grains.Reentrant").GetGrainId().Type.ToString());
        Assert.Throws<ArgumentException>(() => silo.Grains.GetGrain<IWorkGrain>("a", "Elsewhere"));
    }

    [Fact]
    public async Task AsReference_ToAnotherInterface_ReachesTheSameGrain()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IReentrantWorkGrain>("a");

        Assert.Equal(await grain.Activation().Soon(), await grain.AsReference<IWorkGrain>().Activation().Soon());
    }

    [Fact]
    public async Task GetGrain_WithoutKey_IsRefused()
    {
        await using var silo = await TestSilo.StartAsync();

        Assert.Throws<ArgumentException>(() => silo.Get<IEchoGrain>(""));
    }

    [Fact]
    public async Task GetGrain_OfAnInterfaceWithoutProxy_IsRefused()
    {
        await using var silo = await TestSilo.StartAsync();

        Assert.Throws<ArgumentException>(() => silo.Get<IGrainWithStringKey>("a"));
    }

    [Fact]
    public async Task Call_OfAGrainThatNoClassImplements_FailsWithItsType()
    {
        await using var silo = await TestSilo.StartAsync();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => silo.Get<IOrphanGrain>("a").Ping().Soon());

        Assert.Contains("'orphan'", error.Message, StringComparison.Ordinal);
    }
}
