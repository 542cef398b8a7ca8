using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Registry;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Gateway.Traffic;

/// <summary>A share of an alias's requests, and its end.</summary>
public sealed class TrafficRouterTests : IDisposable
{
    private static readonly TrafficRule TenPercent = new() { Candidate = "new", Percent = 10 };

    private readonly TrafficBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Split_OfTenPercent_IsThatOfTenThousandRequests()
    {
        _bench.Set(TenPercent with { Limits = new TrafficLimits { MinRequests = 100_000 } });

        var candidates = 0;
        for (var i = 0; i < 10_000; i++)
        {
            candidates += (await _bench.AskAsync()).Number == 2 ? 1 : 0;
        }

        Assert.InRange(candidates, 900, 1100);
        Assert.True(_bench.AllGivenBack);
        var scrape = await _bench.Routing.ScrapeAsync();
        Assert.Equal(candidates, scrape["cluster_alias_requests{alias=a,leg=candidate,outcome=success}"]);
        Assert.Equal(10_000 - candidates, scrape["cluster_alias_requests{alias=a,leg=active,outcome=success}"]);
        Assert.Equal(candidates, scrape["cluster_alias_request_time_us_count{alias=a,leg=candidate}"]);
        Assert.Equal(10, scrape["cluster_alias_candidate_percent{alias=a}"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sticky_RequestsOfOneKey_GoOneWay(bool byHeader)
    {
        _bench.Set(TenPercent with { Percent = 30, StickyHeader = byHeader ? "x-user" : null, StickyId = !byHeader });

        var ways = new Dictionary<string, HashSet<float>>();
        foreach (var key in Enumerable.Range(0, 400).Select(static i => $"user-{i % 100}"))
        {
            var (number, _) = byHeader ? await _bench.AskAsync(sticky: key) : await _bench.AskAsync(id: key);
            (ways.TryGetValue(key, out var seen) ? seen : ways[key] = []).Add(number);
        }

        Assert.All(ways.Values, static seen => Assert.Single(seen));
        Assert.InRange(ways.Values.Count(static seen => seen.Contains(2)), 15, 45);

        // Those that were chosen stay chosen when the share grows.
        _bench.Set(TenPercent with { Percent = 60, StickyHeader = byHeader ? "x-user" : null, StickyId = !byHeader });
        foreach (var key in ways.Where(static way => way.Value.Contains(2)).Select(static way => way.Key))
        {
            Assert.Equal(2, (byHeader ? await _bench.AskAsync(sticky: key) : await _bench.AskAsync(id: key)).Number);
        }
    }

    [Fact]
    public async Task Versions_OfTheRule_AreAskedAndThatOfAClientIsLeftAlone()
    {
        _bench.Set(new TrafficRule { Candidate = "new", CandidateVersion = 3, ActiveVersion = 1, Percent = 100 });
        await _bench.AskAsync();
        await _bench.AskAsync(version: "2");
        _bench.Set(new TrafficRule { Candidate = "new", CandidateVersion = 3, ActiveVersion = 1, Percent = 0 });
        await _bench.AskAsync();

        Assert.Single(_bench.Routing.Grains.Replica("new/3/0").Requests);
        Assert.Single(_bench.Routing.Grains.Replica("old/1/0").Requests);
        Assert.Single(_bench.Old.Requests);
    }

    [Fact]
    public async Task Candidate_ThatIsNotLoadedYet_GetsNothing()
    {
        _bench.Publish(new TrafficState(TenPercent with { Percent = 100 }, 1));
        Assert.Equal(1, (await _bench.AskAsync()).Number);

        _bench.Publish(new TrafficState(TenPercent with { Percent = 100 }, 1, Loaded: true));
        Assert.Equal(2, (await _bench.AskAsync()).Number);
    }

    [Fact]
    public async Task Candidate_ThatIsGone_IsFollowedByTheActiveModel()
    {
        _bench.Set(TenPercent with { Percent = 100 });
        _bench.Routing.States.Publish(new Contracts.Serving.ModelServingState("new", [], null));

        Assert.Equal(1, (await _bench.AskAsync()).Number);
    }

    [Fact]
    public async Task Errors_AboveTheLimit_RollBackByThisGatewaysFigures()
    {
        _bench.Set(TenPercent with { Percent = 100, Limits = new TrafficLimits { ErrorRate = 0.2, MinRequests = 10 } });
        for (var i = 0; i < 8; i++)
        {
            await _bench.AskAsync();
        }

        var asked = _bench.Alias.Asked;
        _bench.New.Infer = static (_, _) => ValueTask.FromResult(InferReply.Failed(Failure.Internal("broken")));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(StatusCode.Internal, (await _bench.AskAsync()).Reply.Failure!.Code);
        }

        await asked.Soon();
        var verdict = Assert.Single(_bench.Alias.Verdicts);
        Assert.Equal((1, RollbackCause.Errors, "here"), (verdict.Revision, verdict.Cause, verdict.By));
        Assert.Equal("3 of 11 requests failed, of the active model 0 of 0; the limit is a rate of 0.2", verdict.Reason);
        await UntilAsync(() => _bench.State.RolledBack is not null);
        Assert.Equal(1, (await _bench.AskAsync()).Number);
        await UntilAsync(async () => (await _bench.Routing.ScrapeAsync())["cluster_alias_rollbacks{alias=a,cause=errors}"] == 1);
        var scrape = await _bench.Routing.ScrapeAsync();
        Assert.Equal(3, scrape["cluster_alias_requests{alias=a,leg=candidate,outcome=failure}"]);
        Assert.Equal(0, scrape["cluster_alias_candidate_percent{alias=a}"]);
    }

    [Fact]
    public async Task Latency_AboveTheRatio_RollsBack()
    {
        _bench.Set(TenPercent with { Percent = 50, Limits = new TrafficLimits { P99Ratio = 3, MinRequests = 20 } });
        _bench.Old.Infer = (_, _) => AfterAsync(10, 1);
        _bench.New.Infer = (_, _) => AfterAsync(40, 2);
        var asked = _bench.Alias.Asked;

        for (var i = 0; i < 100 && _bench.Rule.IsOn; i++)
        {
            await _bench.AskAsync();
        }

        await asked.Soon();
        Assert.Equal(RollbackCause.Latency, Assert.Single(_bench.Alias.Verdicts).Cause);

        ValueTask<InferReply> AfterAsync(int milliseconds, float number)
        {
            _bench.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
            return ValueTask.FromResult(InferReply.Success(_bench.Answer(number)));
        }
    }

    [Fact]
    public async Task Refusals_AndClientsThatGiveUp_CountAgainstNoModelButDeadlinesDo()
    {
        _bench.Set(TenPercent with { Percent = 100, Limits = new TrafficLimits { ErrorRate = 0, MinRequests = 2 } });
        _bench.New.Infer = static (_, _) => ValueTask.FromResult(InferReply.Failed(Failure.InvalidArgument("no such input")));
        for (var i = 0; i < 5; i++)
        {
            await _bench.AskAsync();
        }

        _bench.New.Infer = (_, token) => HangAsync(TimeSpan.Zero, token);
        for (var i = 0; i < 5; i++)
        {
            await GiveUpAsync();
        }

        Assert.True(_bench.Rule.IsOn);
        var scrape = await _bench.Routing.ScrapeAsync();
        Assert.Equal(5, scrape["cluster_alias_requests{alias=a,leg=candidate,outcome=refused}"]);
        Assert.Equal(5, scrape["cluster_alias_requests{alias=a,leg=candidate,outcome=cancelled}"]);

        _bench.New.Infer = (_, token) => HangAsync(TimeSpan.FromSeconds(1), token);
        await GiveUpAsync();
        await GiveUpAsync();

        Assert.False(_bench.Rule.IsOn);
        Assert.True(_bench.AllGivenBack);

        async Task GiveUpAsync()
        {
            using var cancellation = new CancellationTokenSource();
            var asking = _bench.AskAsync(timeout: TimeSpan.FromSeconds(1), cancellationToken: cancellation.Token);
            await cancellation.CancelAsync();
            await asking.Soon();
        }

        async ValueTask<InferReply> HangAsync(TimeSpan time, CancellationToken token)
        {
            await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _bench.Time.Advance(time);
            throw new OperationCanceledException(token);
        }
    }

    [Fact]
    public async Task RollBack_ThatCannotBeTold_EndsTheShareHereAndIsToldLater()
    {
        _bench.Set(TenPercent with { Percent = 100, Limits = new TrafficLimits { ErrorRate = 0.5, MinRequests = 1 } });
        _bench.New.Infer = static (_, _) => ValueTask.FromResult(InferReply.Failed(Failure.Internal("broken")));
        _bench.Alias.Error = new ServingException(Failure.Unavailable("Redis is away", TimeSpan.FromSeconds(1)));
        var asked = _bench.Alias.Asked;
        await _bench.AskAsync();
        await asked.Soon();

        Assert.Equal(1, (await _bench.AskAsync()).Number);
        Assert.Null(_bench.State.RolledBack);

        _bench.Alias.Error = null;
        await UntilAsync(() =>
        {
            _bench.Time.Advance(TimeSpan.FromSeconds(1));
            return _bench.State.RolledBack is not null;
        });
        Assert.All(_bench.Alias.Verdicts, static verdict => Assert.Equal(1, verdict.Revision));
    }

    [Fact]
    public async Task Rule_OfALaterRevision_BeginsWithNewFigures()
    {
        _bench.Set(TenPercent with { Percent = 100, Limits = new TrafficLimits { ErrorRate = 0.5, MinRequests = 2 } });
        _bench.New.Infer = static (_, _) => ValueTask.FromResult(InferReply.Failed(Failure.Internal("broken")));
        await _bench.AskAsync();
        _bench.Set(TenPercent with { Percent = 100, Limits = new TrafficLimits { ErrorRate = 0.5, MinRequests = 2 } });
        await _bench.AskAsync();

        Assert.True(_bench.Rule.IsOn);
        Assert.Equal(2, (await _bench.Routing.ScrapeAsync())["cluster_alias_requests{alias=a,leg=candidate,outcome=failure}"]);
    }

    [Fact]
    public async Task Rule_ThatEnds_LeavesNoSeriesAndNoTicket()
    {
        _bench.Set(TenPercent);
        await _bench.AskAsync();
        _bench.Publish(null);

        Assert.Null(_bench.Routing.Names.Resolve("a", default).Ticket);
        Assert.Null(_bench.Routing.Names.Resolve("old", default).Ticket);
        Assert.DoesNotContain((await _bench.Routing.ScrapeAsync()).Samples, static sample => sample.StartsWith("cluster_alias", StringComparison.Ordinal));
    }

    /// <summary>Looks again as long as the test's own limit allows; what is waited for happens on other threads, without a word.</summary>
    internal static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    internal static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (!await condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
