using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class LifecycleTests
{
    private static readonly TimeSpan Age = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Quantum = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task FirstCalls_Concurrent_ActivateOnce()
    {
        await using var silo = await TestSilo.StartAsync();

        var ids = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => silo.Get<ILifecycleGrain>("slow").Activation()))
            .Append(ReleaseAsync(silo))).Soon();

        Assert.Single(ids.Where(id => id.Length > 0).Distinct());
        Assert.Single(silo.Probe.Events, "activating slow");
    }

    private static async Task<string> ReleaseAsync(TestSilo silo)
    {
        await silo.Probe.Reached("activating slow");
        silo.Probe.Set("go slow");
        return "";
    }

    [Fact]
    public async Task Activation_ThatThrows_FailsEveryWaitingCallerAndIsTriedAnew()
    {
        await using var silo = await TestSilo.StartAsync();
        silo.ExpectedErrors.Add(1010);
        var grain = silo.Get<ILifecycleGrain>("slow bad");
        var bad = silo.Get<ILifecycleGrain>("bad");

        var waiting = new[] { bad.Ping(), bad.Ping(), bad.Ping() };
        foreach (var call in waiting)
        {
            Assert.Equal("bad", (await Assert.ThrowsAsync<InvalidDataException>(() => call.Soon())).Message);
        }

        silo.Probe.Set("fixed bad");
        await bad.Ping().Soon();
        Assert.Contains("disposed bad", silo.Probe.Events);
        Assert.DoesNotContain(silo.Probe.Events, e => e.StartsWith("deactivating bad", StringComparison.Ordinal));
        Assert.NotNull(grain);
    }

    [Fact]
    public async Task DeactivateOnIdle_EndsTheActivationAndTheNextCallGetsAnother()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("a");
        var first = await grain.Activation().Soon();
        var ended = silo.Runtime.Catalog.Find(grain.GetGrainId())!.Deactivated;

        await grain.DeactivateNow().Soon();
        await ended.Soon();

        Assert.NotEqual(first, await grain.Activation().Soon());
        Assert.Equal(["activating a", "deactivating a ApplicationRequested", "disposed a", "activating a"], silo.Probe.Events);
    }

    [Fact]
    public async Task DeactivateOnIdle_WhileARequestRuns_LetsItEndAndMovesTheWaitingOnes()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IWorkGrain>("a");
        var running = grain.RunAndDeactivate("1");
        await silo.Probe.Reached("start 1").Soon();
        var moved = grain.Run("2");
        silo.Probe.Set("release 2");

        silo.Probe.Set("release 1");
        await Task.WhenAll(running, moved).Soon();

        Assert.Equal(["start 1", "end 1", "deactivated a", "start 2", "end 2"], silo.Probe.Events);
    }

    /// <summary>What runs may call somebody who calls this grain: both would wait for each other.</summary>
    [Fact]
    public async Task DeactivateOnIdle_WhileARequestRuns_StartsWhatInterleavesWithIt()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IWorkGrain>("a");
        var running = grain.RunAndDeactivate("1");
        await silo.Probe.Reached("start 1").Soon();

        var first = grain.RunInterleaved("i");
        var second = grain.RunInterleaved("j");
        await silo.Probe.Reached("start j").Soon();
        silo.Probe.Set("release i");
        await first.Soon();
        silo.Probe.Set("release 1");
        await running.Soon();
        var moved = grain.RunInterleaved("k");
        silo.Probe.Set("release k");
        Assert.False(moved.IsCompleted);
        silo.Probe.Set("release j");
        await Task.WhenAll(second, moved).Soon();

        Assert.Equal(["start 1", "start i", "start j", "end i", "end 1", "end j", "deactivated a", "start k", "end k"], silo.Probe.Events);
    }

    [Fact]
    public async Task DeactivateOnIdle_WhileActivating_AnswersBeforeItEnds()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("brief");

        var ids = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => grain.Activation())).Soon();

        Assert.Equal(5, ids.Length);
    }

    [Fact]
    public async Task Call_WhileDeactivating_GoesToTheNextActivation()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("hangs");
        var first = await grain.Activation().Soon();
        await grain.DeactivateNow().Soon();
        await silo.Probe.Reached("deactivating hangs ApplicationRequested").Soon();

        var call = grain.Activation();
        Assert.False(call.IsCompleted);
        silo.Probe.Set("go hangs");

        Assert.NotEqual(first, await call.Soon());
    }

    [Fact]
    public async Task Idle_ForTheCollectionAge_IsCollected()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("a");
        await grain.Ping().Soon();
        var ended = silo.Runtime.Catalog.Find(grain.GetGrainId())!.Deactivated;

        silo.Time.Advance(Age - Quantum);
        await grain.Ping().Soon();
        silo.Time.Advance(Age - Quantum);
        Assert.DoesNotContain("deactivating a ActivationIdle", silo.Probe.Events);
        silo.Time.Advance(2 * Quantum);

        await ended.Soon();
        Assert.Contains("deactivating a ActivationIdle", silo.Probe.Events);
    }

    [Fact]
    public async Task Idle_WhileARequestRuns_IsNotCollected()
    {
        await using var silo = await TestSilo.StartAsync(options => options.ResponseTimeout = TimeSpan.FromDays(1));
        var grain = silo.Get<IWorkGrain>("a");
        var call = grain.Run("1");
        await silo.Probe.Reached("start 1").Soon();

        silo.Time.Advance(2 * Age);
        silo.Probe.Set("release 1");
        await call.Soon();

        Assert.Equal(["start 1", "end 1"], silo.Probe.Events);
    }

    [Fact]
    public async Task DelayDeactivation_KeepsAnIdleGrain_UntilItIsTakenBack()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("a");
        await grain.Delay(3 * Age).Soon();
        var activation = silo.Runtime.Catalog.Find(grain.GetGrainId())!;

        silo.Time.Advance(2 * Age);
        await activation.AfterItsTurnsAsync();
        Assert.Equal(ActivationState.Valid, activation.State);
        await grain.Delay(TimeSpan.Zero).Soon();
        silo.Time.Advance(Age + (2 * Quantum));

        await activation.Deactivated.Soon();
    }

    [Fact]
    public async Task CollectionAge_OfTheClass_ReplacesTheDefault()
    {
        await using var silo = await TestSilo.StartAsync();
        await silo.Get<IShortLivedGrain>("a").Ping().Soon();
        await silo.Get<IKeptGrain>("a").Ping().Soon();
        var shortLived = silo.Runtime.Catalog.Find(silo.Get<IShortLivedGrain>("a").GetGrainId())!;
        var kept = silo.Runtime.Catalog.Find(silo.Get<IKeptGrain>("a").GetGrainId())!;

        silo.Time.Advance(4 * Quantum);
        await shortLived.Deactivated.Soon();
        silo.Time.Advance(4 * Age);
        await kept.AfterItsTurnsAsync();

        Assert.Equal(ActivationState.Valid, kept.State);
    }

    [Fact]
    public async Task OnDeactivate_ThatThrows_IsLoggedAndTheGrainEndsAllTheSame()
    {
        await using var silo = await TestSilo.StartAsync();
        silo.ExpectedErrors.Add(1011);
        var grain = silo.Get<ILifecycleGrain>("fails");
        var first = await grain.Activation().Soon();
        var ended = silo.Runtime.Catalog.Find(grain.GetGrainId())!.Deactivated;

        await grain.DeactivateNow().Soon();
        await ended.Soon();

        Assert.NotEqual(first, await grain.Activation().Soon());
        Assert.Contains(silo.LogSink.Entries, entry => entry.Id == 1011);
    }

    [Fact]
    public async Task OnDeactivate_ThatTakesTooLong_HasItsTokenCancelled()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("hangs");
        await grain.DeactivateNow().Soon();
        await silo.Probe.Reached("deactivating hangs ApplicationRequested").Soon();

        silo.Time.Advance(TimeSpan.FromSeconds(30));

        await silo.Probe.Reached("hurry hangs").Soon();
        silo.Probe.Set("go hangs");
    }
}
