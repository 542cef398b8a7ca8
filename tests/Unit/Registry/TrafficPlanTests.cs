using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Grains.Aliases;
using Cluster.Grains.Registry;
using Cluster.Unit.Serving;
using Xunit;

namespace Cluster.Unit.Registry;

public sealed class TrafficPlanTests
{
    private static readonly AliasState Alias = new("a", null, "old", "old");
    private static readonly TrafficRule Rule = new() { Candidate = "new", Percent = 10 };

    private readonly InMemoryServingStates _states = new();

    [Fact]
    public void Refusal_NoAliasOrOneOnItsWay_IsRefused()
    {
        Assert.Equal(StatusCode.NotFound, TrafficPlan.Refusal("a", null, Rule)?.Code);
        Assert.Equal(StatusCode.NotFound, TrafficPlan.Refusal("a", null, null)?.Code);
        Assert.Equal(StatusCode.FailedPrecondition, TrafficPlan.Refusal("a", Alias with { Target = "next" }, Rule)?.Code);
        Assert.Null(TrafficPlan.Refusal("a", Alias with { Target = "next" }, null));
        Assert.Null(TrafficPlan.Refusal("a", Alias, Rule));
    }

    [Theory]
    [InlineData(null, null, false)]
    [InlineData(2L, null, false)]
    [InlineData(null, 1L, false)]
    [InlineData(2L, 2L, false)]
    [InlineData(2L, 1L, true)]
    public void Refusal_CandidateOfTheSameModel_NeedsTwoVersions(long? candidate, long? active, bool taken) =>
        Assert.Equal(taken ? null : StatusCode.InvalidArgument, TrafficPlan.Refusal("a", Alias, Rule with { Candidate = "old", CandidateVersion = candidate, ActiveVersion = active })?.Code);

    public static TheoryData<TrafficRule, string?> Rules => new()
    {
        { Rule with { Candidate = "a/b" }, "the candidate's name" },
        { Rule with { CandidateVersion = 0 }, "candidate_version is 0, expected a version, at least 1" },
        { Rule with { ActiveVersion = -1 }, "active_version is -1" },
        { Rule with { Percent = 100.1 }, "percent is 100.1, expected 0 to 100" },
        { Rule with { Percent = -0.1 }, "percent is -0.1" },
        { Rule with { Percent = double.NaN }, "percent is NaN" },
        { Rule with { Percent = 0.05 }, "percent is 0.05, expected steps of 0.1" },
        { Rule with { Percent = 0.1 }, null },
        { Rule with { Percent = 99.9 }, null },
        { Rule with { StickyHeader = "" }, "sticky_header is empty" },
        { Rule with { StickyHeader = "x user" }, "sticky_header has other characters" },
        { Rule with { StickyHeader = new string('x', 65) }, "sticky_header is longer than 64" },
        { Rule with { AbsoluteTolerance = -1 }, "absolute_tolerance is -1, expected at least 0" },
        { Rule with { RelativeTolerance = double.NaN }, "relative_tolerance is NaN" },
        { Rule with { Limits = new TrafficLimits { ErrorRate = 1.5 } }, "max_error_rate is 1.5, expected 0 to 1" },
        { Rule with { Limits = new TrafficLimits { P99Ratio = 0 } }, "max_p99_ratio is 0, expected above 0" },
        { Rule with { Limits = new TrafficLimits { MeanRatio = 2000 } }, "max_mean_ratio is 2000" },
        { Rule with { Limits = new TrafficLimits { Drift = 0.1 } }, "max_drift is given without shadow" },
        { Rule with { Shadow = true, Limits = new TrafficLimits { Drift = 0.1 } }, null },
        { Rule with { Limits = new TrafficLimits { MinRequests = 0 } }, "min_requests is 0, expected 1 to 1000000" },
        { Rule with { Limits = new TrafficLimits { Window = TimeSpan.FromMilliseconds(500) } }, "window_seconds is 0.5, expected 1 to 86400" },
    };

    [Theory]
    [MemberData(nameof(Rules))]
    public void Problem_OfARule_NamesWhatWouldBeRight(TrafficRule rule, string? expected)
    {
        var problem = TrafficRules.ProblemOf(rule);

        if (expected is null)
        {
            Assert.Null(problem);
        }
        else
        {
            Assert.StartsWith(expected, problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Next_CandidateThatAnswers_BeginsAtOnceElseOnceItDoes()
    {
        var waiting = TrafficPlan.Next(Alias, Rule, 5, _states);
        Assert.Equal(("new", null, false), (waiting.Awaited, waiting.AwaitedFailure, waiting.Traffic!.IsOn));
        Assert.Equal(["old", "new"], AliasPlan.References(waiting));
        var failed = AliasPlan.Failed(waiting, "broken");
        Assert.Equal(("new", "broken", null), (failed.Awaited, failed.AwaitedFailure, failed.Failure));

        _states.Publish(States.Model("new", States.OnDemand(1)));

        var begun = TrafficPlan.Review(failed, _states);
        Assert.Equal((true, null, 5L), (begun.Traffic!.IsOn, begun.Traffic.Failure, begun.Traffic.Revision));
        Assert.Null(begun.Awaited);
        Assert.True(TrafficPlan.Next(Alias, Rule, 6, _states).Traffic!.IsOn);
        Assert.False(TrafficPlan.Next(Alias, Rule with { CandidateVersion = 2 }, 6, _states).Traffic!.IsOn);
        Assert.Equal("model 'new' serves no version 2", TrafficPlan.Lacks(Rule with { CandidateVersion = 2 }, _states));
    }

    [Fact]
    public void RollBack_OfThatRevisionAlone_EndsTheShareOnce()
    {
        var on = Alias with { Traffic = new TrafficState(Rule, 5, Loaded: true) };
        var verdict = new TrafficVerdict(5, RollbackCause.Errors, "figures", "one");

        Assert.Equal(on, TrafficPlan.RollBack(on, verdict with { Revision = 4 }, DateTimeOffset.UnixEpoch));
        Assert.Equal(Alias, TrafficPlan.RollBack(Alias, verdict, DateTimeOffset.UnixEpoch));
        var ended = TrafficPlan.RollBack(on, verdict, DateTimeOffset.UnixEpoch);
        Assert.Equal(new TrafficRollback(RollbackCause.Errors, "figures", "one", DateTimeOffset.UnixEpoch), ended.Traffic!.RolledBack);
        Assert.False(ended.Traffic.IsOn);
        Assert.Equal(ended, TrafficPlan.RollBack(ended, verdict with { By = "two" }, DateTimeOffset.UnixEpoch.AddDays(1)));
        Assert.Equal(["old", "new"], AliasPlan.References(ended));
    }

    [Fact]
    public void Move_OfTheAlias_EndsItsRule()
    {
        var on = Alias with { Traffic = new TrafficState(Rule, 5, Loaded: true) };

        Assert.Null(AliasPlan.Next("a", on, new AliasChange { Target = "new" }, 1, 1).Traffic);
        Assert.Equal(on, AliasPlan.Next("a", on, new AliasChange { Target = "old" }, 1, 1));
    }
}
