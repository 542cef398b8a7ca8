using Cluster.Contracts.Registry;
using Cluster.Gateway.Traffic;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Gateway.Traffic;

public sealed class TrafficJudgeTests
{
    private static readonly TrafficLimits Limits = new() { ErrorRate = 0.1, P99Ratio = 2, MeanRatio = 1.5, Drift = 0.02, MinRequests = 50, Window = TimeSpan.FromSeconds(10) };

    [Theory]
    [InlineData(49, 49, 0, null)]
    [InlineData(100, 10, 0, null)]
    [InlineData(100, 11, 0, RollbackCause.Errors)]
    [InlineData(100, 11, 110, null)]
    [InlineData(100, 11, 109, RollbackCause.Errors)]
    public void Errors_AboveTheLimitAndThoseOfTheActiveModel_EndTheShare(int requests, int failed, int activeFailed, RollbackCause? cause)
    {
        var figures = new TrafficFigures(Leg(1000 - activeFailed, activeFailed), Leg(requests - failed, failed), 0, 0);

        Assert.Equal(cause, TrafficJudge.Judge(Limits, figures)?.Cause);
    }

    [Theory]
    [InlineData(50, 50, 10, 20, null)]
    [InlineData(50, 50, 10, 21, RollbackCause.Latency)]
    [InlineData(49, 50, 10, 21, null)]
    [InlineData(50, 49, 10, 21, null)]
    public void Percentile_AboveTheRatio_EndsTheShare(int active, int candidate, int activeMs, int candidateMs, RollbackCause? cause)
    {
        var figures = new TrafficFigures(Leg(active, 0, p99: activeMs), Leg(candidate, 0, p99: candidateMs), 0, 0);

        Assert.Equal(cause, TrafficJudge.Judge(Limits, figures)?.Cause);
    }

    [Fact]
    public void Mean_AboveTheRatio_EndsTheShareWithTheFigures()
    {
        var figures = new TrafficFigures(Leg(50, 0, mean: 10), Leg(50, 0, mean: 15.5), 0, 0);

        Assert.Equal("the mean of latency is 15.5 ms, of the active model 10 ms; the limit is a ratio of 1.5", TrafficJudge.Judge(Limits, figures)!.Reason);
    }

    [Theory]
    [InlineData(49, 49, null)]
    [InlineData(100, 2, null)]
    [InlineData(100, 3, RollbackCause.Drift)]
    public void Differences_AboveTheShare_EndIt(int compared, int different, RollbackCause? cause) =>
        Assert.Equal(cause, TrafficJudge.Judge(Limits, new TrafficFigures(Leg(100, 0), Leg(100, 0), compared, different))?.Cause);

    [Fact]
    public void NoLimits_EndNothing()
    {
        var none = Limits with { ErrorRate = null, P99Ratio = null, MeanRatio = null, Drift = null };

        Assert.Null(TrafficJudge.Judge(none, new TrafficFigures(Leg(100, 0, 1, 1), Leg(100, 900, 900, 900), 100, 100)));
    }

    [Fact]
    public void Window_WhatIsOlder_IsForgottenByTenths()
    {
        var time = new ManualTimeProvider();
        var window = new TrafficWindow(Limits.Window, keepsLatencies: true, time);
        window.Add(isCandidate: true, failed: true, TimeSpan.Zero);
        window.Add(isCandidate: false, failed: false, TimeSpan.FromMilliseconds(4));
        window.AddComparison(differs: true);
        time.Advance(TimeSpan.FromSeconds(8));
        window.Add(isCandidate: true, failed: false, TimeSpan.FromMilliseconds(2));
        window.Add(isCandidate: true, failed: false, TimeSpan.FromMilliseconds(6));

        var (active, candidate, compared, different) = window.Read();
        Assert.Equal((1, 0, 2, 1, 1, 1), (active.Answered, active.Failed, candidate.Answered, candidate.Failed, compared, different));
        Assert.Equal(4, candidate.Mean.TotalMilliseconds);
        Assert.InRange(candidate.P99.TotalMilliseconds, 6, 6.75);

        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal((0, 2, 0), (window.Read().Active.Requests, window.Read().Candidate.Requests, window.Read().Compared));
        time.Advance(TimeSpan.FromDays(300));
        Assert.Equal(0, window.Read().Candidate.Requests);
    }

    [Fact]
    public void Percentile_OfLatencies_IsAtMostAnEighthTooHigh()
    {
        var counts = new LatencyCounts();
        for (var microseconds = 1; microseconds <= 100_000; microseconds += 7)
        {
            counts.Add(TimeSpan.FromMicroseconds(microseconds));
        }

        Assert.InRange(counts.Percentile(99).TotalMicroseconds, 99_000, 99_000 * 1.125);
        Assert.InRange(counts.Percentile(50).TotalMicroseconds, 50_000, 50_000 * 1.125);
        counts.Add(TimeSpan.MaxValue);
        Assert.InRange(counts.Percentile(100).TotalMinutes, 30, 40);
        Assert.Equal(TimeSpan.Zero, new LatencyCounts().Percentile(99));
    }

    private static LegFigures Leg(long answered, long failed, double mean = 0, double p99 = 0) => new(answered, failed, TimeSpan.FromMilliseconds(mean), TimeSpan.FromMilliseconds(p99));
}
