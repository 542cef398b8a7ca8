using Cluster.Grains.Scaling;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Scaling;

public sealed class CopyScalingTests
{
    private static readonly ScalingOptions Options = new();

    private static readonly Gen<CopyLoad> AnyCopy =
        from copy in Gen.Choose(0, 100)
        from requests in Gen.Choose(0, 10_000)
        from waiting in Gen.Choose(0, 3)
        from idle in Gen.Choose(0, 50_000)
        from loaded in Gen.Choose(-500, 10_000)
        from run in Gen.Choose(0, 2000)
        from samples in Gen.Choose(0, 200)
        from concurrency in Gen.Choose(1, 8)
        select new CopyLoad(
            copy,
            requests,
            waiting,
            TimeSpan.FromSeconds(idle),
            loaded < 0 ? null : TimeSpan.FromSeconds(loaded),
            TimeSpan.FromMilliseconds(run),
            samples,
            concurrency);

    private static readonly Gen<ScalingInput> AnyInput =
        from copies in Gen.ListOf(AnyCopy)
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
            Copies = [.. copies.DistinctBy(copy => copy.Copy)],
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
            && (decision.Remove is null || (after >= input.Min && input.Copies.Any(copy => copy.Copy == decision.Remove)));
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

        var left = input.Copies.Where(copy => copy.Copy != removed).ToList();
        var moved = input.Copies.First(copy => copy.Copy == removed).RequestsPerMinute / left.Count;
        var next = input with { Copies = [.. left.Select(copy => copy with { RequestsPerMinute = copy.RequestsPerMinute + moved })], SinceAdded = null };
        var threshold = input.Copies.Select(copy => CopyScaling.Threshold(copy, Options)).Distinct().Count();
        return threshold > 1 || CopyScaling.Decide(next, Options) is not { ForLoad: true };
    });

    [Fact]
    public void Decide_AfterAnAddition_NothingIsTakenAway() => Check((input, decision) =>
    {
        var copies = input.Copies.AddRange(Enumerable.Range(1000, decision.Add).Select(copy => Copy(copy, 0)));
        return decision.Add == 0 || CopyScaling.Decide(input with { Copies = copies, SinceAdded = TimeSpan.Zero }, Options).Remove is null;
    });

    [Theory]
    [InlineData(1999, 0)]
    [InlineData(2000, 1)]
    [InlineData(2001, 1)]
    [InlineData(6000, 2)]
    [InlineData(60_000, 4)]
    public void Decide_RequestsAMinute_AddsWhatTheWorkAsksForUpToAThirdOfTheSilos(double requests, int expected)
    {
        var decision = CopyScaling.Decide(Input(Copy(0, requests)), Options);

        Assert.Equal((expected, expected > 0), (decision.Add, decision.ForLoad));
    }

    [Theory]
    [InlineData(100, 4, 2159, 0)]
    [InlineData(100, 4, 2160, 1)]
    [InlineData(1, 1, 50_000, 0)]
    [InlineData(1000, 1, 54, 1)]
    public void Decide_MeasuredRunTime_IsReckonedAgainstTheConcurrency(double milliseconds, int concurrency, double requests, int expected)
    {
        var copy = Copy(0, requests) with { MeanRunTime = TimeSpan.FromMilliseconds(milliseconds), Concurrency = concurrency, Samples = 64 };

        Assert.Equal(expected, CopyScaling.Decide(Input(copy), Options).Add);
    }

    [Fact]
    public void Decide_FewSamples_AreNotBelieved()
    {
        var copy = Copy(0, 1000) with { MeanRunTime = TimeSpan.FromSeconds(1), Samples = 63 };

        Assert.Equal(ScalingDecision.None, CopyScaling.Decide(Input(copy), Options));
    }

    [Fact]
    public void Decide_ACopyLoads_WaitsForIt()
    {
        var input = Input(Copy(0, 9000), Copy(1, 0) with { LoadedFor = null });

        Assert.Equal(ScalingDecision.None, CopyScaling.Decide(input, Options));
        Assert.Equal(ScalingDecision.None, CopyScaling.Decide(Input(Copy(0, 9000)) with { SinceAdded = TimeSpan.FromSeconds(29) }, Options));
        Assert.NotEqual(ScalingDecision.None, CopyScaling.Decide(Input(Copy(0, 9000)) with { SinceAdded = TimeSpan.FromSeconds(30) }, Options));
    }

    [Theory]
    [InlineData(true, 0.1, 0, 1)]
    [InlineData(false, 0.1, 0, 0)]
    [InlineData(true, 0.09, 0, 0)]
    [InlineData(true, 0.09, 21, 1)]
    public void Decide_LastingUse_AddsTheSecondCopyIfMemoryIsNotShort(bool lasting, double free, int oldestHours, int expected)
    {
        var input = Input(Copy(0, 10)) with { IsLasting = lasting, FreeShare = free, OldestIdle = TimeSpan.FromHours(oldestHours) };

        Assert.Equal(expected, CopyScaling.Decide(input, Options).Add);
        Assert.Equal(0, CopyScaling.Decide(input with { Copies = [Copy(0, 10), Copy(1, 10)] }, Options).Add);
    }

    [Fact]
    public void Decide_ThreeWithEase_TakesTheLeastUsedAwaySlowly()
    {
        var input = Input(Copy(0, 500), Copy(1, 100), Copy(2, 500)) with { FreeShare = 0.05 };

        Assert.Equal(1, CopyScaling.Decide(input, Options).Remove);
        Assert.Null(CopyScaling.Decide(input with { SinceRemoved = TimeSpan.FromSeconds(79) }, Options).Remove);
        Assert.Null(CopyScaling.Decide(input with { Min = 3 }, Options).Remove);
        Assert.Null(CopyScaling.Decide(input with { Copies = input.Copies.SetItem(0, Copy(0, 500) with { Waiting = 2 }) }, Options).Remove);
        Assert.Null(CopyScaling.Decide(input with { Copies = input.Copies.SetItem(0, Copy(0, 500) with { LoadedFor = TimeSpan.FromMinutes(29) }) }, Options).Remove);
        Assert.Null(CopyScaling.Decide(input with { Copies = input.Copies.SetItem(0, Copy(0, 2100)) }, Options).Remove);
    }

    [Fact]
    public void Decide_TwoUnused_TakesOneAwayOnlyAfterAShareOfTheOldestAge()
    {
        var input = Input(Unused(0, 2.1), Unused(1, 2.1)) with { FreeShare = 0, OldestIdle = TimeSpan.FromHours(20) };

        Assert.Equal(1, CopyScaling.Decide(input, Options).Remove);
        Assert.Null(CopyScaling.Decide(input with { Copies = [Unused(0, 2.1), Unused(1, 1.9)] }, Options).Remove);
        Assert.Null(CopyScaling.Decide(input with { Copies = [Unused(0, 2.1)] }, Options).Remove);

        static CopyLoad Unused(int copy, double hours) => Copy(copy, 0) with { Idle = TimeSpan.FromHours(hours) };
    }

    [Fact]
    public void Decide_OutsideTheBounds_PutsItRight()
    {
        Assert.Equal(2, CopyScaling.Decide(Input(Copy(0, 0)) with { Min = 3 }, Options).Add);
        Assert.Equal(1, CopyScaling.Decide(Input(Copy(0, 5), Copy(1, 2)) with { Max = 1 }, Options).Remove);
    }

    private static void Check(Func<ScalingInput, ScalingDecision, bool> property) =>
        Prop.ForAll(AnyInput.ToArbitrary(), input => property(input, CopyScaling.Decide(input, Options))).QuickCheckThrowOnFailure();

    private static ScalingInput Input(params CopyLoad[] copies) =>
        new() { Copies = [.. copies], Candidates = 10, Silos = 12, FreeShare = 0.5 };

    private static CopyLoad Copy(int copy, double requests) =>
        new(copy, requests, Waiting: 0, TimeSpan.Zero, TimeSpan.FromHours(1), TimeSpan.Zero, Samples: 0, Concurrency: 1);
}
