using Cluster.Grains.Scaling;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Scaling;

public sealed class ReplicaScalingTests
{
    private static readonly ScalingOptions Options = new();

    private static readonly Gen<ReplicaUtilization> AnyReplica =
        from replica in Gen.Choose(0, 100)
        from requests in Gen.Choose(0, 10_000)
        from waiting in Gen.Choose(0, 3)
        from idle in Gen.Choose(0, 50_000)
        from loaded in Gen.Choose(-500, 10_000)
        from run in Gen.Choose(0, 2000)
        from samples in Gen.Choose(0, 200)
        from concurrency in Gen.Choose(1, 8)
        select new ReplicaUtilization(
            replica,
            requests,
            waiting,
            TimeSpan.FromSeconds(idle),
            loaded < 0 ? null : TimeSpan.FromSeconds(loaded),
            TimeSpan.FromMilliseconds(run),
            samples,
            concurrency);

    private static readonly Gen<ScalingInput> AnyInput =
        from replicas in Gen.ListOf(AnyReplica)
        from min in Gen.Choose(1, 3)
        from more in Gen.Choose(0, 5)
        from candidates in Gen.Choose(0, 10)
        from free in Gen.Choose(0, 20)
        from oldest in Gen.Choose(0, 200_000)
        from lasting in Gen.Elements(true, false)
        from added in Gen.Choose(-500, 5000)
        from removed in Gen.Choose(-500, 500)
        select new ScalingInput
        {
            Copies = [.. replicas.DistinctBy(replica => replica.Copy)],
            Min = min,
            Max = min + more,
            Candidates = candidates,
            Silos = 12,
            FreeShare = free / 100.0,
            OldestIdle = TimeSpan.FromSeconds(oldest),
            IsLasting = lasting,
            SinceAdded = added < 0 ? null : TimeSpan.FromSeconds(added),
            SinceRemoved = removed < 0 ? null : TimeSpan.FromSeconds(removed),
        };

    [Fact]
    public void Decide_Any_StaysWithinBoundsAndNeverTakesTheLast() => Check((input, decision) =>
    {
        var after = input.Copies.Length + decision.Add - (decision.Remove is null ? 0 : 1);
        return decision is not { Add: > 0, Remove: not null }
            && decision.Add >= 0
            && decision.Add <= input.Candidates
            && (decision.Add == 0 || after <= input.Max)
            && (decision.Remove is null || (after >= input.Min && input.Copies.Any(replica => replica.Copy == decision.Remove)));
    });

    [Fact]
    public void Decide_MemoryIsNotShort_TakesNothingAwayWithinBounds() => Check((input, decision) =>
        input.FreeShare <= Options.RemoveFreeShare || input.Copies.Length > input.Max || decision.Remove is null);

    /// <summary>What would be taken away must not be wanted back by the same work.</summary>
    [Fact]
    public void Decide_AfterARemoval_NoLoadAddsItAgain() => Check((input, decision) =>
    {
        if (decision.Remove is not { } removed || input.Copies.Length > input.Max)
        {
            return true;
        }

        var left = input.Copies.Where(replica => replica.Copy != removed).ToList();
        var moved = input.Copies.First(replica => replica.Copy == removed).RequestsPerMinute / left.Count;
        var next = input with { Copies = [.. left.Select(replica => replica with { RequestsPerMinute = replica.RequestsPerMinute + moved })], SinceAdded = null };
        var threshold = input.Copies.Select(replica => ReplicaScaling.Threshold(replica, Options)).Distinct().Count();
        return threshold > 1 || ReplicaScaling.Decide(next, Options) is not { ForLoad: true };
    });

    [Fact]
    public void Decide_AfterAnAddition_NothingIsTakenAway() => Check((input, decision) =>
    {
        var replicas = input.Copies.AddRange(Enumerable.Range(1000, decision.Add).Select(replica => Copy(replica, 0)));
        return decision.Add == 0 || ReplicaScaling.Decide(input with { Copies = replicas, SinceAdded = TimeSpan.Zero }, Options).Remove is null;
    });

    [Theory]
    [InlineData(1999, 0)]
    [InlineData(2000, 1)]
    [InlineData(2001, 1)]
    [InlineData(6000, 2)]
    [InlineData(60_000, 4)]
    public void Decide_RequestsAMinute_AddsWhatTheWorkAsksForUpToAThirdOfTheSilos(double requests, int expected)
    {
        var decision = ReplicaScaling.Decide(Input(Copy(0, requests)), Options);

        Assert.Equal((expected, expected > 0), (decision.Add, decision.ForLoad));
    }

    [Theory]
    [InlineData(100, 4, 2159, 0)]
    [InlineData(100, 4, 2160, 1)]
    [InlineData(1, 1, 50_000, 0)]
    [InlineData(1000, 1, 54, 1)]
    public void Decide_MeasuredRunTime_IsReckonedAgainstTheConcurrency(double milliseconds, int concurrency, double requests, int expected)
    {
        var replica = Copy(0, requests) with { MeanRunTime = TimeSpan.FromMilliseconds(milliseconds), Concurrency = concurrency, Samples = 64 };

        Assert.Equal(expected, ReplicaScaling.Decide(Input(replica), Options).Add);
    }

    [Fact]
    public void Decide_FewSamples_AreNotBelieved()
    {
        var replica = Copy(0, 1000) with { MeanRunTime = TimeSpan.FromSeconds(1), Samples = 63 };

        Assert.Equal(ScalingDecision.None, ReplicaScaling.Decide(Input(replica), Options));
    }

    [Fact]
    public void Decide_ACopyLoads_WaitsForIt()
    {
        var input = Input(Copy(0, 9000), Copy(1, 0) with { LoadedFor = null });

        Assert.Equal(ScalingDecision.None, ReplicaScaling.Decide(input, Options));
        Assert.Equal(ScalingDecision.None, ReplicaScaling.Decide(Input(Copy(0, 9000)) with { SinceAdded = TimeSpan.FromSeconds(29) }, Options));
        Assert.NotEqual(ScalingDecision.None, ReplicaScaling.Decide(Input(Copy(0, 9000)) with { SinceAdded = TimeSpan.FromSeconds(30) }, Options));
    }

    [Theory]
    [InlineData(true, 0.1, 0, 1)]
    [InlineData(false, 0.1, 0, 0)]
    [InlineData(true, 0.09, 0, 0)]
    [InlineData(true, 0.09, 21, 1)]
    public void Decide_LastingUse_AddsTheSecondCopyIfMemoryIsNotShort(bool lasting, double free, int oldestHours, int expected)
    {
        var input = Input(Copy(0, 10)) with { IsLasting = lasting, FreeShare = free, OldestIdle = TimeSpan.FromHours(oldestHours) };

        Assert.Equal(expected, ReplicaScaling.Decide(input, Options).Add);
        Assert.Equal(0, ReplicaScaling.Decide(input with { Copies = [Copy(0, 10), Copy(1, 10)] }, Options).Add);
    }

    [Fact]
    public void Decide_ThreeWithEase_TakesTheLeastUsedAwaySlowly()
    {
        var input = Input(Copy(0, 500), Copy(1, 100), Copy(2, 500)) with { FreeShare = 0.05 };

        Assert.Equal(1, ReplicaScaling.Decide(input, Options).Remove);
        Assert.Null(ReplicaScaling.Decide(input with { SinceRemoved = TimeSpan.FromSeconds(79) }, Options).Remove);
        Assert.Null(ReplicaScaling.Decide(input with { Min = 3 }, Options).Remove);
        Assert.Null(ReplicaScaling.Decide(input with { Copies = input.Copies.SetItem(0, Copy(0, 500) with { Waiting = 2 }) }, Options).Remove);
        Assert.Null(ReplicaScaling.Decide(input with { Copies = input.Copies.SetItem(0, Copy(0, 500) with { LoadedFor = TimeSpan.FromMinutes(29) }) }, Options).Remove);
        Assert.Null(ReplicaScaling.Decide(input with { Copies = input.Copies.SetItem(0, Copy(0, 2100)) }, Options).Remove);
    }

    [Fact]
    public void Decide_TwoUnused_TakesOneAwayOnlyAfterAShareOfTheOldestAge()
    {
        var input = Input(Unused(0, 2.1), Unused(1, 2.1)) with { FreeShare = 0, OldestIdle = TimeSpan.FromHours(20) };

        Assert.Equal(1, ReplicaScaling.Decide(input, Options).Remove);
        Assert.Null(ReplicaScaling.Decide(input with { Copies = [Unused(0, 2.1), Unused(1, 1.9)] }, Options).Remove);
        Assert.Null(ReplicaScaling.Decide(input with { Copies = [Unused(0, 2.1)] }, Options).Remove);

        static ReplicaUtilization Unused(int replica, double hours) => Copy(replica, 0) with { Idle = TimeSpan.FromHours(hours) };
    }

    [Fact]
    public void Decide_OutsideTheBounds_PutsItRight()
    {
        Assert.Equal(2, ReplicaScaling.Decide(Input(Copy(0, 0)) with { Min = 3 }, Options).Add);
        Assert.Equal(1, ReplicaScaling.Decide(Input(Copy(0, 5), Copy(1, 2)) with { Max = 1 }, Options).Remove);
    }

    private static void Check(Func<ScalingInput, ScalingDecision, bool> property) =>
        Prop.ForAll(AnyInput.ToArbitrary(), input => property(input, ReplicaScaling.Decide(input, Options))).QuickCheckThrowOnFailure();

    private static ScalingInput Input(params ReplicaUtilization[] replicas) =>
        new() { Copies = [.. replicas], Candidates = 10, Silos = 12, FreeShare = 0.5 };

    private static ReplicaUtilization Copy(int replica, double requests) =>
        new(replica, requests, Waiting: 0, TimeSpan.Zero, TimeSpan.FromHours(1), TimeSpan.Zero, Samples: 0, Concurrency: 1);
}
