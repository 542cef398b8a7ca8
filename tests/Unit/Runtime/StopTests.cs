using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class StopTests
{
    [Fact]
    public async Task Stop_LetsRunningRequestsEndAndDeactivatesAll()
    {
        await using var silo = await TestSilo.StartAsync();
        var running = silo.Get<IWorkGrain>("a").Run("1");
        await silo.Get<ILifecycleGrain>("b").Ping().Soon();
        await silo.Probe.Reached("start 1").Soon();

        var stop = silo.StopAsync();
        await silo.Probe.Reached("disposed b").Soon();
        Assert.False(stop.IsCompleted);
        silo.Probe.Set("release 1");
        await running.Soon();
        await stop;

        Assert.Contains("deactivated a", silo.Probe.Events);
        Assert.Contains("deactivating b ShuttingDown", silo.Probe.Events);
        Assert.Empty(silo.Runtime.Catalog.All);
    }

    [Fact]
    public async Task Stop_RefusesNewActivations()
    {
        await using var silo = await TestSilo.StartAsync();
        await silo.StopAsync();

        await Assert.ThrowsAsync<SiloUnavailableException>(() => silo.Get<IEchoGrain>("a").DoNothing().Soon());
    }

    [Fact]
    public async Task Stop_WhileActivating_CancelsItAndTellsTheCaller()
    {
        await using var silo = await TestSilo.StartAsync();
        var call = silo.Get<ILifecycleGrain>("slow").Ping();
        await silo.Probe.Reached("activating slow").Soon();

        await silo.StopAsync();

        await Assert.ThrowsAsync<SiloUnavailableException>(() => call.Soon());
    }

    [Fact]
    public async Task Stop_RequestsThatWait_AreRefused()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IWorkGrain>("a");
        var running = grain.Run("1");
        await silo.Probe.Reached("start 1").Soon();
        var waiting = grain.Run("2");

        var stop = silo.StopAsync();
        silo.Probe.Set("release 1");
        await running.Soon();
        await stop;

        await Assert.ThrowsAsync<SiloUnavailableException>(() => waiting.Soon());
    }

    [Fact]
    public async Task Stop_WhoseTimeIsOver_LogsWhatDidNotEnd()
    {
        await using var silo = await TestSilo.StartAsync();
        var running = silo.Get<IWorkGrain>("a").Run("1");
        await silo.Probe.Reached("start 1").Soon();
        using var patience = new CancellationTokenSource();

        var stop = silo.StopAsync(patience.Token);
        await patience.CancelAsync();
        await stop;

        // Whether the activation's own turn that begins its end came before the patience ended is a race: either state is true.
        Assert.Matches(
            "^work/a did not end before the silo's stop time was over: (Valid|Deactivating), 1 requests running$",
            Assert.Single(silo.LogSink.Entries, entry => entry.Id == 1002).Message);
        silo.Probe.Set("release 1");
        await running.Soon();
    }
}
