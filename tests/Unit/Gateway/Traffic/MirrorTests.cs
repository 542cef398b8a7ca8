using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Registry;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Gateway.Traffic;

/// <summary>Copies of an alias's requests.</summary>
public sealed class MirrorTests : IDisposable
{
    private static readonly TrafficRule All = new() { Candidate = "new", Percent = 100, Shadow = true, Limits = new TrafficLimits { ErrorRate = null } };

    private readonly TrafficBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Answers_ThatAreTheSame_AreComparedAndGivenBack()
    {
        _bench.New.Infer = (_, _) => ValueTask.FromResult(InferReply.Success(_bench.Answer(1.0005f)));
        _bench.Set(All);

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(1, (await _bench.AskAsync()).Number);
            await IdleAsync();
        }

        Assert.True(_bench.AllGivenBack);
        var scrape = await _bench.Routing.ScrapeAsync();
        Assert.Equal(20, scrape["cluster_alias_comparisons{alias=a,result=none}"]);
        Assert.Equal(20, scrape["cluster_alias_requests{alias=a,leg=shadow,outcome=success}"]);
        Assert.Equal(20, scrape["cluster_alias_requests{alias=a,leg=active,outcome=success}"]);
        Assert.Equal(20, scrape["cluster_alias_request_time_us_count{alias=a,leg=shadow}"]);
    }

    [Fact]
    public async Task Share_OfTheCopies_IsThatOfTheRule()
    {
        _bench.Set(All with { Percent = 25 });

        for (var i = 0; i < 2000; i++)
        {
            await _bench.AskAsync();
            await IdleAsync();
        }

        Assert.InRange(_bench.New.Requests.Count, 420, 580);
    }

    [Fact]
    public async Task Answers_ThatDiffer_RollBackByDrift()
    {
        _bench.Set(All with { Limits = new TrafficLimits { Drift = 0.1, MinRequests = 10 } });
        var asked = _bench.Alias.Asked;

        for (var i = 0; i < 12; i++)
        {
            Assert.Equal(1, (await _bench.AskAsync()).Number);
            await IdleAsync();
        }

        await asked.Soon();
        var verdict = Assert.Single(_bench.Alias.Verdicts);
        Assert.Equal((RollbackCause.Drift, "10 of 10 answers differ from the active model's; the limit is a share of 0.1"), (verdict.Cause, verdict.Reason));
        Assert.Equal(10, _bench.New.Requests.Count);
        Assert.Equal(10, (await _bench.Routing.ScrapeAsync())["cluster_alias_comparisons{alias=a,result=values}"]);
    }

    [Fact]
    public async Task Candidate_ThatRefusesWhatTheActiveModelTook_HasFailed()
    {
        _bench.New.Infer = static (_, _) => ValueTask.FromResult(InferReply.Failed(Failure.InvalidArgument("no such input")));
        _bench.Set(All with { Limits = new TrafficLimits { ErrorRate = 0.5, MinRequests = 3 } });
        var asked = _bench.Alias.Asked;

        for (var i = 0; i < 3; i++)
        {
            Assert.True((await _bench.AskAsync()).Reply.Succeeded);
            await IdleAsync();
        }

        await asked.Soon();
        Assert.Equal(RollbackCause.Errors, Assert.Single(_bench.Alias.Verdicts).Cause);
    }

    [Fact]
    public async Task Candidate_ThatHangs_DelaysNoClientAndDropsWhatIsTooMuch()
    {
        _bench.New.Infer = static async (_, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            throw new InvalidOperationException("it does not end by itself");
        };
        _bench.Set(All);

        // With a clock that stands still, a client's request ends only if it waits for no copy.
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(1, (await _bench.AskAsync().Soon()).Number);
        }

        var max = _bench.Routing.MirrorOptions.MaxMirrors;
        Assert.Equal(max, _bench.Routing.Mirrors.Count);
        Assert.Equal(10 - max, (await _bench.Routing.ScrapeAsync())["cluster_alias_mirrors_dropped{alias=a}"]);
        Assert.False(_bench.AllGivenBack);

        // A copy takes its time from the thread on which it is sent.
        await TrafficRouterTests.UntilAsync(() => _bench.New.Requests.Count == max);
        await TrafficRouterTests.UntilAsync(() =>
        {
            _bench.Time.Advance(_bench.Routing.MirrorOptions.MirrorTimeout);
            return _bench.Routing.Mirrors.Count == 0;
        });
        Assert.True(_bench.AllGivenBack);
        Assert.Equal(max, (await _bench.Routing.ScrapeAsync())["cluster_alias_requests{alias=a,leg=shadow,outcome=failure}"]);
    }

    [Fact]
    public async Task Candidate_WhoseCallThrows_CountsAsFailed()
    {
        _bench.New.Infer = static (_, _) => throw new InvalidOperationException("no answer at all");
        _bench.Set(All);

        Assert.Equal(1, (await _bench.AskAsync()).Number);
        await IdleAsync();

        Assert.Equal(1, (await _bench.Routing.ScrapeAsync())["cluster_alias_requests{alias=a,leg=shadow,outcome=failure}"]);
    }

    [Fact]
    public async Task Copies_OfTooManyBytes_AreDropped()
    {
        _bench.Set(All);

        Assert.Equal(1, (await _bench.AskAsync(padding: 2 << 20)).Number);
        await IdleAsync();
        Assert.Equal(1, (await _bench.AskAsync(padding: 512 << 10)).Number);
        await IdleAsync();

        Assert.Single(_bench.New.Requests);
        Assert.Equal(1, (await _bench.Routing.ScrapeAsync())["cluster_alias_mirrors_dropped{alias=a}"]);
        Assert.True(_bench.AllGivenBack);
    }

    [Fact]
    public async Task Request_ThatFails_IsNotCopied()
    {
        _bench.Set(All);
        _bench.Old.Infer = static (_, _) => ValueTask.FromResult(InferReply.Failed(Failure.Internal("broken")));

        Assert.Equal(StatusCode.Internal, (await _bench.AskAsync()).Reply.Failure!.Code);

        Assert.Equal(0, _bench.Routing.Mirrors.Count);
        Assert.Empty(_bench.New.Requests);
        Assert.True(_bench.AllGivenBack);
    }

    [Fact]
    public async Task Gateway_ThatEnds_EndsItsCopies()
    {
        _bench.New.Infer = static async (_, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            throw new InvalidOperationException("it does not end by itself");
        };
        _bench.Set(All);
        await _bench.AskAsync();

        _bench.Routing.Mirrors.Dispose();

        await IdleAsync();
        Assert.True(_bench.AllGivenBack);
    }

    private Task IdleAsync() => TrafficRouterTests.UntilAsync(() => _bench.Routing.Mirrors.Count == 0);
}
