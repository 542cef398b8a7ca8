using Cluster.Contracts.Logging;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Metrics;

public sealed class CauseLimiterTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void TryPass_ManyOfOneCause_OneAnIntervalWithTheNumberHeldBack()
    {
        var limiter = new CauseLimiter(_time);

        Assert.True(limiter.TryPass("a", out var heldBack));
        Assert.Equal(0, heldBack);
        Assert.All(Enumerable.Range(0, 500), _ => Assert.False(limiter.TryPass("a", out var _)));
        Assert.True(limiter.TryPass("b", out _));
        _time.Advance(CauseLimiter.Interval);
        Assert.True(limiter.TryPass("a", out heldBack));
        Assert.Equal(500, heldBack);
        Assert.False(limiter.TryPass("a", out _));
        Assert.True(limiter.TryPass("b", out heldBack));
        Assert.Equal(0, heldBack);
    }

    [Fact]
    public void TryPass_MoreCausesThanItKeeps_AreOneCauseUntilTheOthersAreOld()
    {
        var limiter = new CauseLimiter(_time);

        var lines = Enumerable.Range(0, 100_000).Count(cause => limiter.TryPass($"{cause}", out _));

        Assert.InRange(lines, 1000, 1001);
        _time.Advance(CauseLimiter.Interval);
        Assert.True(limiter.TryPass("new", out _));
    }
}
