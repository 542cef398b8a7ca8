using Cluster.Metrics;
using Xunit;

namespace Cluster.Unit.Metrics;

public sealed class HistogramTests
{
    [Fact]
    public void Microseconds_Bounds_AreThoseOfOpenVinoModelServer()
    {
        double[] expected =
        [
            10, 18, 32, 58, 104, 188, 340, 612, 1101, 1983, 3570, 6426, 11568, 20822, 37481, 67466, 121439, 218591, 393464, 708235, 1274823,
            2294682, 4130428, 7434771, 13382588, 24088659, 43359586, 78047255, 140485060, 252873108, 455171596, 819308872, 1474755971,
        ];
        Assert.Equal(expected, HistogramBounds.Microseconds);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0.99, 0)]
    [InlineData(1, 0)]
    [InlineData(1.01, 1)]
    [InlineData(2, 1)]
    [InlineData(5, 2)]
    [InlineData(5.01, 3)]
    [InlineData(double.PositiveInfinity, 3)]
    public void BucketOf_Value_IsTheFirstBoundNotBelow(double value, int bucket) =>
        Assert.Equal(bucket, new HistogramLayout("h", [1, 2, 5]).BucketOf(value));

    [Fact]
    public void Quantile_OfWhatWasCountedSince_IsInsideItsBucket()
    {
        using var host = new MetricsHost();
        var series = host.Registry.Histogram("h", "Times.", [10, 20, 40]).Acquire();
        Assert.Null(series.Read().Quantile(0.5));
        for (var i = 0; i < 99; i++)
        {
            series.Record(15);
        }

        series.Record(1000);
        var first = series.Read();
        Assert.Equal((100, 15, 20, 40), (first.Total, Math.Round(first.Quantile(0.5)!.Value), first.Quantile(0.99), first.Quantile(1)));

        series.Record(30);
        var since = series.Read().Since(first);
        Assert.Equal((1, 30.0), (since.Total, since.Quantile(0.5)));
    }

    [Fact]
    public async Task Record_Values_BucketsAreCumulative()
    {
        using var host = new MetricsHost();
        var series = host.Registry.Histogram("h", "Times.", [1, 2, 5]).Acquire();
        foreach (var value in new[] { 0.5, 1, 1.5, 2, 4, 100, double.NaN })
        {
            series.Record(value);
        }

        var scrape = await host.ScrapeAsync();

        Assert.Equal([2, 4, 5, 6], new[] { "1", "2", "5", "+Inf" }.Select(bound => scrape[$"h_bucket{{le={bound}}}"]));
        Assert.Equal(6, scrape["h_count"]);
        Assert.Equal(109, scrape["h_sum"]);
    }

    [Theory]
    [InlineData(1.0, 1.0)]
    [InlineData(2.0, 1.0)]
    [InlineData(1.0, double.PositiveInfinity)]
    [InlineData(double.NaN, 1.0)]
    public void Layout_BoundsNotAscendingOrFinite_Throws(double first, double second) =>
        Assert.Throws<ArgumentException>(() => new HistogramLayout("h", [first, second]));

    [Fact]
    public async Task Record_FromSeveralThreads_LosesNothing()
    {
        const int Threads = 4;
        const int Each = 50_000;
        using var host = new MetricsHost();
        var histogram = host.Registry.Histogram("h", "Times.", HistogramBounds.Microseconds).Acquire();
        var counter = host.Registry.Counter("c", "Counts.").Acquire();
        var gauge = host.Registry.Gauge("g", "Now.").Acquire();
        using var start = new Barrier(Threads + 1);

        var work = Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                for (var i = 1; i <= Each; i++)
                {
                    histogram.Record(i);
                    counter.Increment();
                    gauge.Increment();
                    gauge.Decrement();
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToArray();
        start.SignalAndWait();
        await Task.WhenAll(work).WaitAsync(TimeSpan.FromMinutes(1));

        Assert.Equal((long)Threads * Each, histogram.Count);
        Assert.Equal(Threads * ((double)Each * (Each + 1) / 2), histogram.Sum);
        Assert.Equal(Threads * Each, counter.Value);
        Assert.Equal(0, gauge.Value);
    }

    [Fact]
    public async Task WriteAsync_WhileRecording_CountEqualsLastBucket()
    {
        using var host = new MetricsHost();
        var series = host.Registry.Histogram("h", "Times.", [10, 100]).Acquire();
        using var stop = new CancellationTokenSource();
        var recording = Task.Factory.StartNew(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    series.Record(50);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

        try
        {
            for (var i = 0; i < 50; i++)
            {
                var scrape = await host.ScrapeAsync();
                Assert.Equal(scrape["h_count"], scrape["h_bucket{le=+Inf}"]);
            }
        }
        finally
        {
            await stop.CancelAsync();
        }

        await recording.WaitAsync(TimeSpan.FromMinutes(1));
    }
}
