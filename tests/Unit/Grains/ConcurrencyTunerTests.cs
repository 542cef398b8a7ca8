using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Grains.Metrics;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>The tuner in front of models whose rate follows a formula of the slots.</summary>
public sealed class ConcurrencyTunerTests
{
    private readonly ManualTimeProvider _time = new();

    /// <summary>Each slot up to the sixth runs 100 requests a second, further ones none more.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(16)]
    public void Limit_RateGrowsToSixSlots_IsSixAndTriesOthersRarely(int start)
    {
        var tuner = new ConcurrencyTuner(start, 24, _time);
        Run(tuner, seconds: 60, static slots => 100 * Math.Min(slots, 6));

        Assert.InRange(tuner.Limit, 5, 7);
        Assert.InRange(ShareOf(tuner, 6, static slots => 100 * Math.Min(slots, 6)), 0.9, 1);
    }

    /// <summary>Runs that share the memory's bandwidth get in each other's way.</summary>
    [Fact]
    public void Limit_RateFallsWithMoreSlots_FollowsTheBest()
    {
        var tuner = new ConcurrencyTuner(4, 16, _time);
        Run(tuner, seconds: 60, static slots => slots <= 2 ? 100 * slots : 200 - (10 * (slots - 2)));

        Assert.InRange(tuner.Limit, 1, 3);
        Run(tuner, seconds: 300, static slots => 100 * Math.Min(slots, 5));

        Assert.InRange(tuner.Limit, 4, 6);
    }

    [Fact]
    public void Limit_NothingWaits_StaysAsItIs()
    {
        var tuner = new ConcurrencyTuner(3, 16, _time);
        for (var i = 0; i < 10_000; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            Assert.False(tuner.Ran(isBusy: false));
        }

        Assert.Equal(3, tuner.Limit);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Limit_MoreSlotsAlwaysPay_IsTheMostAndNeverMore(int most)
    {
        var tuner = new ConcurrencyTuner(1, most, _time);
        var largest = 0;
        Run(tuner, seconds: 60, slots =>
        {
            largest = Math.Max(largest, slots);
            return 100 * slots;
        });

        Assert.Equal(most, largest);
        Assert.InRange(tuner.Limit, Math.Max(1, most - 1), most);
    }

    /// <summary>The queue in front of a model whose runs take 10 ms, however many there are: a second slot pays, and is taken.</summary>
    [Fact]
    public async Task Queue_WithATuner_RunsAsManyAtOnceAsItSays()
    {
        using var host = new MetricsHost();
        using var workers = new InferenceWorkers(new InferenceOptions { Threads = 8 }, _time);
        using var metrics = new ReplicaMetricsFactory(host.Registry).Create("gated", 1, 1, 1);
        var model = new GatedModel(concurrency: 1);
        var queue = new ReplicaQueue(model, 1000, null, workers, new ReplicaStatisticsRecorder(_time), metrics, _time, NullLogger.Instance) { Tuner = new ConcurrencyTuner(1, 2, _time) };
        var replies = Enumerable.Range(0, 300).Select(_ => queue.EnqueueAsync(new InferRequest { Message = PayloadBuffer.CopyOf([1]) }, default).AsTask()).ToList();
        var (left, most) = (replies.Count, 0d);
        while (left > 0)
        {
            var runs = new List<GatedRun>();
            for (var slots = Math.Min(queue.Running, left); runs.Count < slots;)
            {
                runs.Add(await model.NextAsync());
            }

            most = Math.Max(most, (await host.ScrapeAsync())["ovms_infer_req_queue_size{name=gated,version=1}"]);
            _time.Advance(TimeSpan.FromMilliseconds(10));
            runs.ForEach(static run => run.Finish(milliseconds: 10));
            await Task.WhenAll(replies[^left..(replies.Count - left + runs.Count)]).Soon();
            left -= runs.Count;
        }

        Assert.Equal((2, 2d), (model.MostAtOnce, most));
        Assert.All(await Task.WhenAll(replies).Soon(), static reply => Assert.True(reply.Succeeded));
        await queue.DrainAsync().Soon();
        Assert.Equal(0, queue.Running);
    }

    /// <summary>The share of the next minute in which there are so many slots.</summary>
    private double ShareOf(ConcurrencyTuner tuner, int slots, Func<int, double> rateOf)
    {
        var (there, all) = (0, 0);
        Run(tuner, seconds: 60, now =>
        {
            (there, all) = (there + (now == slots ? 1 : 0), all + 1);
            return rateOf(now);
        });
        return (double)there / all;
    }

    /// <summary>One reading of the rate for each run.</summary>
    private void Run(ConcurrencyTuner tuner, int seconds, Func<int, double> rateOf)
    {
        var end = _time.GetTimestamp() + (seconds * _time.TimestampFrequency);
        while (_time.GetTimestamp() < end)
        {
            _time.Advance(TimeSpan.FromSeconds(1 / rateOf(tuner.Limit)));
            tuner.Ran(isBusy: true);
        }
    }
}
