using System.Net;
using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Clustering;

/// <summary>When a silo is declared dead because its port refuses, and when not.</summary>
public sealed class SiloEvidenceTests : IDisposable
{
    private static readonly SiloAddress Self = At(0);
    private static readonly SiloAddress Other = At(1);
    private static readonly SiloAddress Third = At(2);
    private static readonly SiloAddress Fourth = At(3);

    private readonly ManualTimeProvider _time = new();
    private readonly KillRecorder _membership = new();
    private readonly FakeTable _table = new();
    private readonly ConnectionEnds _ends;
    private readonly Dictionary<IPEndPoint, PortAnswer> _ports = [];
    private readonly SiloEvidence _evidence;

    public SiloEvidenceTests()
    {
        _ends = new ConnectionEnds(_time);
        _evidence = new SiloEvidence(
            _membership,
            _table,
            new FixedSiloDetails(Self),
            _ends,
            (endpoint, _) => Task.FromResult(_ports.GetValueOrDefault(endpoint, PortAnswer.Accepts)),
            _time,
            NullLogger<SiloEvidence>.Instance);
        _membership.Killed = _table.Bury;
    }

    public void Dispose() => _evidence.Dispose();

    [Fact]
    public async Task Look_PortRefusesTwiceATenthOfASecondApart_TheSiloIsKilled()
    {
        Members(Self, Other, Third);
        _ports[Other.Endpoint] = PortAnswer.Refuses;

        Assert.Equal(SiloEvidence.SecondLook, await _evidence.LookAsync(default));
        await _evidence.LookAsync(default);
        Assert.Empty(_membership.Kills);
        _time.Advance(SiloEvidence.SecondLook);
        await _evidence.LookAsync(default);

        Assert.Equal([Other], _membership.Kills);
    }

    [Fact]
    public async Task Look_PortRefusesOnceAndAcceptsAgain_TheSiloStays()
    {
        Members(Self, Other, Third);
        foreach (var answer in new[] { PortAnswer.Refuses, PortAnswer.Accepts, PortAnswer.Refuses, PortAnswer.Silent, PortAnswer.Refuses })
        {
            _ports[Other.Endpoint] = answer;
            await LookAsync(1);
        }

        Assert.Empty(_membership.Kills);
    }

    [Fact]
    public async Task Look_AllAccept_LooksAgainOnlyWhenAConnectionEnds()
    {
        Members(Self, Other, Third);

        Assert.Null(await _evidence.LookAsync(default));
        Assert.Equal(0, _table.Reads);
    }

    /// <summary>A silo that hangs, or that the network hides, is left to the probes.</summary>
    [Fact]
    public async Task Look_PortIsSilent_TheSiloStays()
    {
        Members(Self, Other, Third);
        _ports[Other.Endpoint] = PortAnswer.Silent;

        await LookAsync(20, SiloEvidence.NextLook);

        Assert.Empty(_membership.Kills);
    }

    [Fact]
    public async Task Look_OneOfTwoMembersRefuses_OneWitnessIsEnough()
    {
        Members(Self, Other);
        _ports[Other.Endpoint] = PortAnswer.Refuses;

        await LookAsync(2);

        Assert.Equal([Other], _membership.Kills);
    }

    [Fact]
    public async Task Look_ThisSiloReachesOnlyAMinority_TheSilosWithHeartbeatsStay()
    {
        Members(Self, Other, Third, Fourth);
        _ports[Other.Endpoint] = _ports[Third.Endpoint] = _ports[Fourth.Endpoint] = PortAnswer.Refuses;

        for (var look = 0; look < 40; look++)
        {
            _table.Beat(Other, Third, Fourth);
            await LookAsync(1, SiloEvidence.NextLook);
        }

        Assert.Empty(_membership.Kills);
    }

    [Fact]
    public async Task Look_ThisSiloReachesHalf_IsNoMajority()
    {
        Members(Self, Other, Third, Fourth, At(4));
        _ports[Other.Endpoint] = PortAnswer.Refuses;
        _ports[Third.Endpoint] = _ports[Fourth.Endpoint] = PortAnswer.Silent;

        await LookAsync(2);

        Assert.Empty(_membership.Kills);
    }

    [Fact]
    public async Task Look_NoMajorityIsLeft_SilosWhoseHeartbeatStopsAreKilled()
    {
        Members(Self, Other, Third);
        _ports[Other.Endpoint] = _ports[Third.Endpoint] = PortAnswer.Refuses;

        await LookAsync(2, SiloEvidence.SecondLook);
        Assert.Empty(_membership.Kills);
        _time.Advance(SiloEvidence.Stalled);
        await LookAsync(1);

        Assert.Equal([Other, Third], _membership.Kills.Order());
    }

    [Fact]
    public async Task Look_RedisIsGone_NoSiloIsKilled()
    {
        Members(Self, Other, Third);
        _ports[Other.Endpoint] = PortAnswer.Refuses;
        _table.IsAway = true;

        await LookAsync(10, SiloEvidence.NextLook);
        Assert.Empty(_membership.Kills);
        _table.IsAway = false;
        await LookAsync(1);

        Assert.Equal([Other], _membership.Kills);
    }

    [Fact]
    public async Task Look_AnotherWasFirst_OnlyTheMembershipIsRead()
    {
        Members(Self, Other, Third);
        _ports[Other.Endpoint] = PortAnswer.Refuses;
        _table.Bury(Other);

        await LookAsync(2);

        Assert.Empty(_membership.Kills);
        Assert.NotEmpty(_membership.Refreshes);
    }

    /// <summary>Orleans' own queue of kills may wait for a minute after an error of Redis.</summary>
    [Fact]
    public async Task Look_KillsHaveNoEffect_TheRowIsWrittenHere()
    {
        Members(Self, Other, Third);
        _ports[Other.Endpoint] = PortAnswer.Refuses;
        _membership.Killed = static _ => { };

        await LookAsync(4);

        Assert.Equal(2, _membership.Kills.Count);
        Assert.Equal(SiloStatus.Dead, _table.StatusOf(Other));
    }

    [Fact]
    public async Task Look_WhileJoiningAfterAllWereLost_SilentSilosWithoutHeartbeatAreKilled()
    {
        Members(SiloStatus.Joining, Other, Third);
        _ports[Other.Endpoint] = _ports[Third.Endpoint] = PortAnswer.Silent;

        await LookAsync(2, SiloEvidence.NextLook);
        _time.Advance(SiloEvidence.LongStalled - (2 * SiloEvidence.NextLook) - SiloEvidence.SecondLook);
        await LookAsync(1);
        Assert.Empty(_membership.Kills);
        await LookAsync(1);

        Assert.Equal([Other, Third], _membership.Kills.Order());
    }

    [Fact]
    public async Task Look_WhileJoiningCutOff_SilosWithHeartbeatsStay()
    {
        Members(SiloStatus.Joining, Other, Third);
        _ports[Other.Endpoint] = _ports[Third.Endpoint] = PortAnswer.Silent;

        for (var look = 0; look < 40; look++)
        {
            _table.Beat(Other, Third);
            await LookAsync(1, SiloEvidence.NextLook);
        }

        Assert.Empty(_membership.Kills);
    }

    [Fact]
    public async Task Look_WhileStopping_LeavesTheOthersAlone()
    {
        Members(SiloStatus.ShuttingDown, Other, Third);
        _ports[Other.Endpoint] = PortAnswer.Refuses;

        await LookAsync(3);

        Assert.Empty(_membership.Kills);
    }

    [Fact]
    public async Task Run_AConnectionEnds_TheSiloIsKilledATenthOfASecondLater()
    {
        Members(Self, Other, Third);
        var killed = new TaskCompletionSource();
        var looked = new TaskCompletionSource();
        _membership.Killed = _ => killed.SetResult();
        _table.Read = looked.SetResult;
        var lifecycle = new FakeLifecycle();
        _evidence.Participate(lifecycle);
        await lifecycle.StartAsync();

        _ports[Other.Endpoint] = PortAnswer.Refuses;
        _ends.Raise();
        await looked.Task.Soon();
        Assert.Empty(_membership.Kills);
        while (!killed.Task.IsCompleted)
        {
            _time.Advance(SiloEvidence.SecondLook);
            await Task.WhenAny(killed.Task, Task.Delay(20, TestContext.Current.CancellationToken));
        }

        await lifecycle.StopAsync().Soon();
        Assert.Equal([Other], _membership.Kills);
    }

    private static SiloAddress At(int number) => SiloAddress.New(IPAddress.Loopback, 1000 + number, 1);

    private void Members(params SiloAddress[] silos) => Members(SiloStatus.Active, silos[1..]);

    private void Members(SiloStatus self, params SiloAddress[] others)
    {
        _membership.Set(1, [(Self, self), .. others.Select(static silo => (silo, SiloStatus.Active))]);
        _table.Add(others);
    }

    private async Task LookAsync(int times, TimeSpan? pause = null)
    {
        for (var look = 0; look < times; look++)
        {
            await _evidence.LookAsync(default);
            _time.Advance(pause ?? SiloEvidence.SecondLook);
        }
    }
}
