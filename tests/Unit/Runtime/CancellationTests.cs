using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class CancellationTests
{
    [Fact]
    public async Task Cancel_WhileRunning_ReachesTheGrainAndTheCaller()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IWorkGrain>("a");
        await grain.Activation().Soon();
        using var cancellation = new CancellationTokenSource();
        var call = grain.RunWithToken("1", cancellation.Token);
        await silo.Probe.Reached("start 1").Soon();

        await cancellation.CancelAsync();

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Soon());
        Assert.Equal(cancellation.Token, error.CancellationToken);
        await silo.Probe.Reached("cancelled 1").Soon();
        Assert.Equal(0, silo.Runtime.Pending.Count);
    }

    [Fact]
    public async Task Cancel_WhileQueued_FailsThePromiseAndNeverRuns()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IWorkGrain>("a");
        var first = grain.Run("1");
        await silo.Probe.Reached("start 1").Soon();
        using var cancellation = new CancellationTokenSource();
        var queued = grain.RunWithToken("2", cancellation.Token);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued.Soon());

        silo.Probe.Set("release 1");
        silo.Probe.Set("release 3");
        await first.Soon();
        await grain.Run("3").Soon();
        Assert.DoesNotContain("start 2", silo.Probe.Events);
    }

    [Fact]
    public async Task Cancel_BeforeTheCall_FailsWithoutActivating()
    {
        await using var silo = await TestSilo.StartAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => silo.Get<IWorkGrain>("a").RunWithToken("1", new CancellationToken(canceled: true)).Soon());

        Assert.Empty(silo.Runtime.Catalog.All);
    }

    [Fact]
    public async Task Cancel_WhileTheGrainIsActivated_FailsThePromise()
    {
        await using var silo = await TestSilo.StartAsync();
        using var cancellation = new CancellationTokenSource();
        var call = silo.Get<ILifecycleGrain>("slow").PingWithToken(cancellation.Token);
        await silo.Probe.Reached("activating slow").Soon();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Soon());
        silo.Probe.Set("go slow");
    }

    [Fact]
    public async Task TimeOut_OfTheMethod_FailsTheCallerAndCancelsTheGrain()
    {
        await using var silo = await TestSilo.StartAsync();
        var call = silo.Get<IWorkGrain>("a").RunShort("1", default);
        await silo.Probe.Reached("start 1").Soon();

        silo.Time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(call.IsCompleted);
        silo.Time.Advance(TimeSpan.FromSeconds(0.2));

        var error = await Assert.ThrowsAsync<TimeoutException>(() => call.Soon());
        Assert.Equal("work/a: Cluster.Unit.Runtime.Grains.IWorkGrain.RunShort did not answer within 5 s", error.Message);
        await silo.Probe.Reached("cancelled 1").Soon();
    }

    [Fact]
    public async Task TimeOut_OfTheSilo_AppliesToOtherMethods()
    {
        await using var silo = await TestSilo.StartAsync(options => options.ResponseTimeout = TimeSpan.FromSeconds(60));
        var call = silo.Get<IWorkGrain>("a").Run("1");
        await silo.Probe.Reached("start 1").Soon();

        silo.Time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(call.IsCompleted);
        silo.Time.Advance(TimeSpan.FromSeconds(1.1));

        await Assert.ThrowsAsync<TimeoutException>(() => call.Soon());
        silo.Probe.Set("release 1");
    }

    [Fact]
    public async Task TimeOut_WhileQueued_NeverRuns()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IWorkGrain>("a");
        var first = grain.Run("1");
        await silo.Probe.Reached("start 1").Soon();
        var queued = grain.RunShort("2", default);

        silo.Time.Advance(TimeSpan.FromSeconds(6));
        await Assert.ThrowsAsync<TimeoutException>(() => queued.Soon());
        silo.Probe.Set("release 1");
        silo.Probe.Set("release 3");
        await first.Soon();
        await grain.Run("3").Soon();

        Assert.DoesNotContain("start 2", silo.Probe.Events);
    }

    [Fact]
    public async Task Answers_LeaveNothingPending()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IEchoGrain>("a");
        var calls = Enumerable.Range(0, 100).Select(i => grain.EchoLater($"{i}")).ToArray();

        await Task.WhenAll(calls).Soon();

        Assert.Equal(0, silo.Runtime.Pending.Count);
    }
}
