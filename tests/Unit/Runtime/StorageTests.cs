using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class StorageTests
{
    private static Task<TestSilo> StartAsync() => TestSilo.StartAsync(services: services =>
    {
        services.AddMemoryGrainStorage("memory");
        services.AddMemoryGrainStorage("Default");
    });

    private static async Task ReactivateAsync(TestSilo silo, IStateGrain grain)
    {
        var ended = silo.Runtime.Catalog.Find(grain.GetGrainId())!.Deactivated;
        await grain.Deactivate().Soon();
        await ended.Soon();
    }

    [Fact]
    public async Task State_Written_IsThereInTheNextActivation()
    {
        await using var silo = await StartAsync();
        var grain = silo.Get<IStateGrain>("a");
        await grain.Set(7, write: true).Soon();
        await ReactivateAsync(silo, grain);

        Assert.Equal(7, await grain.Get().Soon());
        Assert.Equal(["activated state/a with 0", "activated state/a with 7"], silo.Probe.Events);
    }

    [Fact]
    public async Task State_ChangedButNotWritten_IsForgotten()
    {
        await using var silo = await StartAsync();
        var grain = silo.Get<IStateGrain>("a");
        await grain.Set(7, write: true).Soon();
        await grain.Set(8, write: false).Soon();
        await ReactivateAsync(silo, grain);

        Assert.Equal(7, await grain.Get().Soon());
    }

    [Fact]
    public async Task State_TwoOfOneType_AreKeptApart()
    {
        await using var silo = await StartAsync();
        var grain = silo.Get<IStateGrain>("a");

        Assert.Equal("0 5 False True", await grain.SetOther("12345").Soon());
    }

    [Fact]
    public async Task State_Cleared_IsNewAndGone()
    {
        await using var silo = await StartAsync();
        var grain = silo.Get<IStateGrain>("a");
        await grain.Set(7, write: true).Soon();
        await grain.Clear().Soon();

        Assert.Equal(0, await grain.Get().Soon());
        Assert.False(await grain.Exists().Soon());
    }

    [Fact]
    public async Task Write_AfterSomebodyElse_FailsAndTheNextActivationReadsAnew()
    {
        await using var silo = await StartAsync();
        var grain = silo.Get<IStateGrain>("a");
        await grain.Set(1, write: true).Soon();
        var ended = silo.Runtime.Catalog.Find(grain.GetGrainId())!.Deactivated;
        var storage = silo.Services.GetRequiredKeyedService<IGrainStorage>("memory");
        var theirs = new GrainState<CountState>();
        await storage.ReadStateAsync("count", grain.GetGrainId(), theirs);
        theirs.State.Value = 50;
        await storage.WriteStateAsync("count", grain.GetGrainId(), theirs);

        var error = await Assert.ThrowsAsync<InconsistentStateException>(() => grain.Set(2, write: true).Soon());

        Assert.Equal(theirs.ETag, error.StoredEtag);
        await ended.Soon();
        Assert.Equal(50, await grain.Get().Soon());
    }

    [Fact]
    public async Task Activation_WithoutTheStorage_FailsWithItsName()
    {
        await using var silo = await TestSilo.StartAsync();
        silo.ExpectedErrors.Add(1010);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => silo.Get<IStateGrain>("a").Get().Soon());

        Assert.Contains("'memory'", error.Message, StringComparison.Ordinal);
    }
}
