using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class SchedulingTests
{
    [Fact]
    public async Task Call_WhileAnotherRuns_WaitsForItsEnd()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IWorkGrain>("a");
        var first = grain.Run("1");
        await silo.Probe.Reached("start 1").Soon();
        silo.Probe.Set("release 2");
        var second = grain.Run("2");

        silo.Probe.Set("release 1");
        await Task.WhenAll(first, second).Soon();

        Assert.Equal(["start 1", "end 1", "start 2", "end 2"], silo.Probe.Events);
    }

    [Fact]
    public async Task Calls_ThatWait_RunInTheOrderOfArrival()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IWorkGrain>("a");
        var calls = new List<Task>();
        for (var i = 0; i < 50; i++)
        {
            calls.Add(grain.Run($"{i}"));
        }

        for (var i = 0; i < 50; i++)
        {
            silo.Probe.Set($"release {i}");
        }

        await Task.WhenAll(calls).Soon();

        Assert.Equal(Enumerable.Range(0, 50).SelectMany(i => new[] { $"start {i}", $"end {i}" }), silo.Probe.Events);
    }

    [Fact]
    public async Task Call_AlwaysInterleave_StartsWhileAnotherRuns()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IWorkGrain>("a");
        var first = grain.Run("1");
        var waiting = grain.Run("2");
        await silo.Probe.Reached("start 1").Soon();

        var interleaved = grain.RunInterleaved("i");
        await silo.Probe.Reached("start i").Soon();
        silo.Probe.Set("release i");
        await interleaved.Soon();

        Assert.Equal(["start 1", "start i", "end i"], silo.Probe.Events);
        silo.Probe.Set("release 1");
        silo.Probe.Set("release 2");
        await Task.WhenAll(first, waiting).Soon();
    }

    [Fact]
    public async Task Call_WhileOnlyInterleavedOnesRun_Starts()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IWorkGrain>("a");
        var interleaved = grain.RunInterleaved("i");
        await silo.Probe.Reached("start i").Soon();

        silo.Probe.Set("release 1");
        await grain.Run("1").Soon();

        silo.Probe.Set("release i");
        await interleaved.Soon();
    }

    [Fact]
    public async Task Calls_OfAReentrantGrain_Interleave()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IReentrantWorkGrain>("a");
        var first = grain.Run("1");
        var second = grain.Run("2");
        await silo.Probe.Reached("start 2").Soon();

        Assert.Equal(["start 1", "start 2"], silo.Probe.Events);
        silo.Probe.Set("release 1");
        silo.Probe.Set("release 2");
        await Task.WhenAll(first, second).Soon();
    }

    [Fact]
    public async Task Calls_OfAReentrantGrain_RunOneTurnAtATime()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IReentrantWorkGrain>("a");

        var callers = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++)
            {
                await grain.Count();
            }
        }));
        await Task.WhenAll(callers).Soon();

        Assert.Equal(4001, await grain.Count().Soon());
    }

    [Fact]
    public async Task Call_FromATurnToAnotherGrain_ReturnsToTheCallersTurn()
    {
        await using var silo = await TestSilo.StartAsync();

        Assert.Equal("b>b", await silo.Get<IRelayGrain>("a").Relay("b").Soon());
    }

    [Fact]
    public async Task Call_DeepChain_DoesNotExhaustTheStack()
    {
        await using var silo = await TestSilo.StartAsync();
        for (var i = 0; i <= 200; i++)
        {
            await silo.Get<IRelayGrain>($"{i}").Depth(0).Soon();
        }

        Assert.Equal(200, await silo.Get<IRelayGrain>("200").Depth(200).Soon());
    }

    [Fact]
    public async Task AsyncLocal_OfTheCaller_IsSeenByTheGrainAndNotChangedByIt()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IRelayGrain>("a");

        // Once through the thread pool, once inline.
        for (var i = 0; i < 2; i++)
        {
            RelayGrain.Local.Value = "caller's";
            Assert.Equal("caller's", await grain.SwapLocal("grain's").Soon());
            Assert.Equal("caller's", RelayGrain.Local.Value);
        }
    }
}
