using Cluster.Cli.Load;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Cli;

/// <summary>What <c>bench</c> counts and times.</summary>
public sealed class BenchLoadTests
{
    [Fact]
    public void Figures_OfSamples_AreOfThoseThatWereAnswered()
    {
        var figures = BenchFigures.Of(
            [.. Enumerable.Range(1, 100).Select(static number => new BenchSample(TimeSpan.FromMilliseconds(number), null)), new(TimeSpan.FromSeconds(9), "b"), new(default, "a"), new(default, "a")],
            TimeSpan.FromSeconds(2));

        Assert.Equal(
            """{"requests":103,"failed":3,"seconds":2,"answers_per_second":50,"p50_ms":50,"p90_ms":90,"p99_ms":99,"max_ms":100,"failures":[{"count":2,"failure":"a"},{"count":1,"failure":"b"}]}""",
            figures.ToJson().ToJsonString());
    }

    [Fact]
    public void Figures_OfFailuresAlone_HaveNoTimes() =>
        Assert.Equal((1, null, null), (BenchFigures.Of([new(default, "a")], TimeSpan.FromSeconds(1)) is var figures ? figures.Failed : 0, figures.Median, figures.Longest));

    /// <summary>The last request's share of the time counts too, so that the rate is the one that was asked for.</summary>
    [Fact]
    public async Task OpenLoop_LastsItsWholeTime()
    {
        var time = new ManualTimeProvider();
        var running = new BenchLoad(static _ => Task.FromResult<string?>(null), time).RunOpenAsync(2, TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        var limit = Task.Delay(Wait.Limit);
        while (!running.IsCompleted && !limit.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        var figures = await running.Soon();
        Assert.Equal(2, figures.Requests);
        Assert.InRange(figures.Elapsed.TotalSeconds, 1, double.MaxValue);
    }

    /// <summary>A server that stalls is told of by each request that was due meanwhile, not by one alone.</summary>
    [Fact]
    public async Task OpenLoop_ServerThatStalls_EachRequestThatWasDueWaits()
    {
        var time = new ManualTimeProvider();
        var answer = new TaskCompletionSource<string?>();
        var sent = 0;
        var running = new BenchLoad(_ =>
        {
            Interlocked.Increment(ref sent);
            return answer.Task;
        }, time).RunOpenAsync(100, TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        var limit = Task.Delay(Wait.Limit);
        while (Volatile.Read(ref sent) < 100 && !limit.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        time.Advance(TimeSpan.FromSeconds(1));
        answer.SetResult(null);
        var figures = await running.Soon();

        Assert.Equal((100, 0), (figures.Requests, figures.Failed));
        Assert.InRange(figures.Median!.Value.TotalSeconds, 1.4, double.MaxValue);
        Assert.InRange((figures.Longest!.Value - figures.Median.Value).TotalSeconds, 0.4, 0.6);
    }
}
