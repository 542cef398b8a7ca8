using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class TimerTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Timer_TicksAfterDueTimeAndThenEachPeriod()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("a");
        await grain.StartTimer("t", 2 * Second, 5 * Second).Soon();

        silo.Time.Advance(1.9 * Second);
        await grain.Ping().Soon();
        Assert.DoesNotContain("tick t 1", silo.Probe.Events);
        silo.Time.Advance(0.1 * Second);
        await TockAsync(silo, grain, "tock t 1");
        silo.Time.Advance(4.9 * Second);
        await grain.Ping().Soon();
        Assert.DoesNotContain("tick t 2", silo.Probe.Events);
        silo.Time.Advance(0.1 * Second);
        await TockAsync(silo, grain, "tock t 2");
    }

    // A tick tells the probe before its end arms the clock: a call behind it has seen that end.
    private static async Task TockAsync(TestSilo silo, ILifecycleGrain grain, string tock)
    {
        await silo.Probe.Reached(tock).Soon();
        await silo.Runtime.Catalog.Find(grain.GetGrainId())!.AfterItsTurnsAsync();
    }

    [Fact]
    public async Task Timer_WhoseTickIsSlow_NeverOverlaps()
    {
        await using var silo = await TestSilo.StartAsync(options => options.ResponseTimeout = TimeSpan.FromDays(1));
        var grain = silo.Get<ILifecycleGrain>("a");
        await grain.StartTimer("wait", Second, Second).Soon();
        silo.Time.Advance(Second);
        await silo.Probe.Reached("tick wait 1").Soon();

        silo.Time.Advance(10 * Second);
        Assert.DoesNotContain("tick wait 2", silo.Probe.Events);
        silo.Probe.Set("release wait 1");
        await TockAsync(silo, grain, "tock wait 1");
        silo.Time.Advance(Second);

        await silo.Probe.Reached("tick wait 2").Soon();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Timer_Interleave_DecidesWhetherATickKeepsRequestsWaiting(bool interleave)
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("a");
        await grain.StartTimer("wait", Second, Timeout.InfiniteTimeSpan, interleave: interleave).Soon();
        silo.Time.Advance(Second);
        await silo.Probe.Reached("tick wait 1").Soon();

        var call = grain.Ping();
        await silo.Runtime.Catalog.Find(grain.GetGrainId())!.AfterItsTurnsAsync();

        Assert.Equal(interleave, call.IsCompleted);
        silo.Probe.Set("release wait 1");
        await call.Soon();
    }

    [Fact]
    public async Task Timer_ThatThrows_IsLoggedAndTicksOn()
    {
        await using var silo = await TestSilo.StartAsync();
        silo.ExpectedErrors.Add(1020);
        var grain = silo.Get<ILifecycleGrain>("a");
        await grain.StartTimer("throw", Second, Second).Soon();

        silo.Time.Advance(Second);
        await TockAsync(silo, grain, "tick throw 1");
        silo.Time.Advance(Second);

        await silo.Probe.Reached("tick throw 2").Soon();
        Assert.Contains(silo.LogSink.Entries, entry => entry.Id == 1020);
    }

    [Fact]
    public async Task Timer_Change_StartsAnew()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("a");
        await grain.StartTimer("t", Second, Second).Soon();
        await grain.ChangeTimer(10 * Second, Timeout.InfiniteTimeSpan).Soon();

        silo.Time.Advance(9 * Second);
        await grain.Ping().Soon();
        Assert.DoesNotContain("tick t 1", silo.Probe.Events);
        silo.Time.Advance(Second);
        await TockAsync(silo, grain, "tock t 1");
        silo.Time.Advance(100 * Second);
        await grain.Ping().Soon();

        Assert.DoesNotContain("tick t 2", silo.Probe.Events);
    }

    [Fact]
    public async Task Timer_Disposed_TicksNoMore()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("a");
        await grain.StartTimer("t", Second, Second).Soon();
        await grain.StopTimer().Soon();

        silo.Time.Advance(10 * Second);
        await grain.Ping().Soon();

        Assert.DoesNotContain("tick t 1", silo.Probe.Events);
    }

    [Fact]
    public async Task Timer_OfAnEndingGrain_IsCancelledAndTicksNoMore()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("a");
        await grain.StartTimer("wait", Second, Second, interleave: true).Soon();
        silo.Time.Advance(Second);
        await silo.Probe.Reached("tick wait 1").Soon();
        var ended = silo.Runtime.Catalog.Find(grain.GetGrainId())!.Deactivated;

        await grain.DeactivateNow().Soon();

        await ended.Soon();
        silo.Time.Advance(10 * Second);
        Assert.DoesNotContain("tick wait 2", silo.Probe.Events);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Timer_KeepAlive_DecidesWhetherTicksKeepAnIdleGrain(bool keepAlive)
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("a");
        await grain.StartTimer("t", TimeSpan.FromMinutes(10), Timeout.InfiniteTimeSpan, keepAlive: keepAlive).Soon();
        var activation = silo.Runtime.Catalog.Find(grain.GetGrainId())!;

        silo.Time.Advance(TimeSpan.FromMinutes(10));
        await TockAsync(silo, grain, "tock t 1");
        silo.Time.Advance(TimeSpan.FromMinutes(8));
        await activation.AfterItsTurnsAsync();
        if (!keepAlive)
        {
            await activation.Deactivated.Soon();
        }

        Assert.Equal(keepAlive, activation.State == ActivationState.Valid);
    }
}
