using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Console;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Cluster.Unit.Serving;
using Xunit;

namespace Cluster.Unit.Gateway.Console;

/// <summary>What a gateway makes of what it hears.</summary>
public sealed class TimelineWatchTests : IAsyncLifetime
{
    private readonly ManualTimeProvider _time = new();
    private readonly InMemoryServingStates _states = new();
    private readonly InMemoryAliases _aliases = new();
    private readonly FakeHealth _health = new();
    private readonly FakeSilos _silos = new();
    private readonly Timeline _timeline;
    private readonly TimelineWatch _watch;

    public TimelineWatchTests()
    {
        _timeline = new Timeline(new ConsoleOptions(), _time);
        _watch = new TimelineWatch(_timeline, _states, _aliases, _health, _silos, _time);
    }

    public async ValueTask InitializeAsync()
    {
        _silos.All = [FakeSilos.Node(States.At(0)), FakeSilos.Node(States.At(1))];
        _states.Publish(States.Model("m", States.Ready(1, 0)));
        await _watch.StartAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _watch.StopAsync(CancellationToken.None);
        _watch.Dispose();
    }

    [Fact]
    public void Start_WhatWasSoBefore_IsNoEvent() => Assert.Empty(Events());

    [Fact]
    public void Rule_OfAnAlias_BeginsOnceIsRolledBackOnceAndEnds()
    {
        var rule = new TrafficState(new TrafficRule { Candidate = "new", CandidateVersion = 2, Percent = 12.5 }, 7);
        var on = rule with { Loaded = true };
        var rolledBack = on with { RolledBack = new TrafficRollback(RollbackCause.Errors, "3 of 4 failed", "gw", DateTimeOffset.UnixEpoch) };
        foreach (var traffic in new[] { rule, rule with { Failure = "broken" }, on, on, rolledBack, rolledBack, null, null, on with { Revision = 8, Rule = rule.Rule with { Shadow = true } } })
        {
            _aliases.Publish(new AliasState("a", null, "m", "m", Traffic: traffic));
        }

        _aliases.Remove("a");

        Assert.Equal(
            [
                "traffic_begun 12.5 % of the requests for alias 'a' are answered by this model",
                "rolled_back alias 'a' rolled this model back, by gateway gw: 3 of 4 failed",
                "traffic_ended alias 'a' has no rule for this model any more",
                "traffic_begun 12.5 % of the requests for alias 'a' are copied to this model, and the answers compared",
                "traffic_ended alias 'a' has no rule for this model any more",
            ],
            Events());
        Assert.All(_timeline.After(0), static happened => Assert.Equal(("a", "new", 2L), (happened.Alias, happened.Model, happened.Version)));
    }

    [Fact]
    public void SiloDies_ModelIsLoadedElsewhere_TellsHowLongThatTook()
    {
        _silos.All = [FakeSilos.Node(States.At(0), "Dead"), FakeSilos.Node(States.At(1))];
        _health.Change();
        _time.Advance(TimeSpan.FromMilliseconds(40));
        _states.Publish(States.Model("m", States.OnDemand(1) with { Cause = ServingReasons.SiloLost }));
        _time.Advance(TimeSpan.FromMilliseconds(600));
        _states.Publish(States.Model("m", States.Ready(1, 1) with { Cause = "not in memory, and wanted again" }));

        Assert.Equal(
            [
                "silo_died silo silo2000 died: it ended without a word",
                "lost replica 0 serves no more: its silo was lost",
                "loaded replica 1 serves: not in memory, and wanted again",
                "failed_over failed over in 640 ms: 1 replica answers",
            ],
            Events());
        var last = _timeline.After(0)[^1];
        Assert.Equal(("m", 1L, 640L, States.At(1).ToParsableString()), (last.Model, last.Version, last.Milliseconds, last.Silo));
    }

    [Fact]
    public void SiloDies_OfTwoReplicas_TheOtherAnswers()
    {
        _states.Publish(States.Model("m", States.Ready(1, 0, 1)));
        _silos.All = [FakeSilos.Node(States.At(0), "Dead"), FakeSilos.Node(States.At(1))];
        _states.Publish(States.Model("m", States.Ready(1, 1) with { Cause = ServingReasons.SiloLost }));

        Assert.Equal(["loaded", "silo_died", "lost", "failed_over"], Kinds());
    }

    [Fact]
    public void ReplicaEnds_WithACause_TellsIt()
    {
        _states.Publish(States.Model("m", States.OnDemand(1) with { Cause = "evicted after 12 s without use, to make room for another" }));
        _states.Publish(States.Model("m", States.Ready(1, 3)));
        _states.Publish(States.Model("m", States.Unavailable(1, ServingReasons.Unloaded)));
        _states.Publish(States.Model("m", States.Unavailable(1, "quarantined: one request took down two silos", failed: true)));
        _states.Publish(States.Model("m", States.Unavailable(1, "no such file", failed: true) with { FailedOn = [States.At(0).ToParsableString()] }));
        _states.Publish(States.Model("m"));

        Assert.Equal(
            [
                "evicted replica 0 was evicted after 12 s without use, to make room for another",
                "loaded replica 3 serves",
                "ended replica 3 serves no more: unloaded on request",
                "unavailable unloaded on request",
                "quarantined quarantined: one request took down two silos",
                "load_failed a load failed on this silo, which gets it no more for a while",
                "load_failed no such file",
                "removed the model is gone",
            ],
            Events());
    }

    [Fact]
    public void SiloDrainsAndLeaves_AnotherJoins_TellsOfEachOnce()
    {
        _silos.All = [FakeSilos.Node(States.At(0), draining: true), FakeSilos.Node(States.At(1)), FakeSilos.Node(States.At(2), "Joining")];
        _health.Change();
        _silos.All = [FakeSilos.Node(States.At(0), "ShuttingDown"), FakeSilos.Node(States.At(1)), FakeSilos.Node(States.At(2))];
        _health.Change();
        _health.Change();
        _silos.All = [FakeSilos.Node(States.At(0), "Dead"), FakeSilos.Node(States.At(1)), FakeSilos.Node(States.At(2))];
        _health.Change();
        _silos.All = [FakeSilos.Node(States.At(2))];
        _health.Change();

        Assert.Equal(["silo_draining", "silo_joined", "silo_left", "silo_died"], Kinds());
    }

    [Fact]
    public void SiloIsDrained_AndTakesReplicasAgain_TellsOfBoth()
    {
        _silos.All = [FakeSilos.Node(States.At(0), draining: true), FakeSilos.Node(States.At(1))];
        _health.Change();
        _silos.All = [FakeSilos.Node(States.At(0)), FakeSilos.Node(States.At(1))];
        _health.Change();
        _health.Change();

        Assert.Equal(["silo_draining", "silo_undrained"], Kinds());
    }

    [Fact]
    public void Store_GoesAndComesBack_TellsOfBoth()
    {
        _health.IsStoreReachable = false;
        _time.Advance(TimeSpan.FromSeconds(1));
        _health.Change();
        _health.IsStoreReachable = true;
        _health.Change();

        Assert.Equal(["store_away", "store_back"], Kinds());
    }

    private IEnumerable<string> Kinds() => _timeline.After(0).Select(static happened => happened.Kind);

    private IEnumerable<string> Events() => _timeline.After(0).Select(static happened => $"{happened.Kind} {happened.Text}");
}
