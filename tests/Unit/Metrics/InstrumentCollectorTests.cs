using System.Diagnostics.Metrics;
using Cluster.Metrics;
using Xunit;

namespace Cluster.Unit.Metrics;

public sealed class InstrumentCollectorTests
{
    [Fact]
    public async Task Scrape_EveryInstrumentKind_HasItsTypeNameAndNumber()
    {
        using var host = new MetricsHost();
        var meter = host.CreateMeter();
        var requests = meter.CreateCounter<long>("runtime.requests", "{request}", "Requests.");
        requests.Add(2, new KeyValuePair<string, object?>("grain.type", "model"), new("remote", true));
        requests.Add(3, new KeyValuePair<string, object?>("remote", true), new("grain.type", "model"));
        var connections = meter.CreateUpDownCounter<int>("active.connections");
        connections.Add(5);
        connections.Add(-2);
        var temperature = meter.CreateGauge<float>("temperature");
        temperature.Record(2.5f);
        temperature.Record(1.5f);
        _ = meter.CreateObservableCounter("cpu.time", () => 1.25m, "s");
        _ = meter.CreateObservableGauge("heap.size", () => (short)7, "By");
        _ = meter.CreateObservableUpDownCounter("queue.fill", () => (byte)1, "1");
        meter.CreateHistogram<double>("call.duration", "s").Record(0.02);

        var scrape = await host.ScrapeAsync();

        Assert.Equal(5, scrape["runtime_requests_total{grain_type=model,remote=true}"]);
        Assert.Equal("counter", scrape.Types["runtime_requests_total"]);
        Assert.Equal("Requests.", scrape.Helps["runtime_requests_total"]);
        Assert.Equal(3, scrape["active_connections"]);
        Assert.Equal("gauge", scrape.Types["active_connections"]);
        Assert.Equal(1.5, scrape["temperature"]);
        Assert.Equal(1.25, scrape["cpu_time_seconds_total"]);
        Assert.Equal(7, scrape["heap_size_bytes"]);
        Assert.Equal(1, scrape["queue_fill_ratio"]);
        Assert.Equal(0, scrape["call_duration_seconds_bucket{le=0.01}"]);
        Assert.Equal(1, scrape["call_duration_seconds_bucket{le=0.025}"]);
        Assert.Equal(1, scrape["call_duration_seconds_count"]);
    }

    [Fact]
    public async Task Scrape_ObservedSeriesNoLongerReported_Disappears()
    {
        using var host = new MetricsHost();
        var reported = new List<Measurement<long>> { new(1, new KeyValuePair<string, object?>("silo", "a")), new(2, new KeyValuePair<string, object?>("silo", "b")) };
        _ = host.CreateMeter().CreateObservableGauge("load", () => reported.ToArray());

        Assert.Equal(2, (await host.ScrapeAsync())["load{silo=b}"]);
        reported.RemoveAt(1);
        var scrape = await host.ScrapeAsync();

        Assert.Equal(1, scrape["load{silo=a}"]);
        Assert.False(scrape.Has("load{silo=b}"));
        reported.Add(new(4, new KeyValuePair<string, object?>("silo", "b")));
        Assert.Equal(4, (await host.ScrapeAsync())["load{silo=b}"]);
    }

    [Fact]
    public async Task Scrape_TwoInstrumentsObserveOneSeries_AddUpInEachRound()
    {
        using var host = new MetricsHost();
        _ = host.CreateMeter().CreateObservableCounter("seen", () => 3);
        _ = host.Meters.Create(new MeterOptions(MetricsHost.MeterName) { Version = "2" }).CreateObservableCounter("seen", () => 4);

        Assert.Equal(7, (await host.ScrapeAsync())["seen_total"]);
        Assert.Equal(7, (await host.ScrapeAsync())["seen_total"]);
    }

    [Fact]
    public async Task Histogram_Bounds_AreChosenThenAdvisedThenByUnit()
    {
        using var host = new MetricsHost(options => options.Bounds["chosen"] = [3]);
        var meter = host.CreateMeter();
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 2] };
        meter.CreateHistogram("chosen", unit: null, description: null, tags: null, advice).Record(1);
        meter.CreateHistogram("advised", unit: null, description: null, tags: null, advice).Record(1);
        meter.CreateHistogram<long>("micros", "us").Record(1);

        var scrape = await host.ScrapeAsync();

        Assert.Equal(["3", "+Inf"], Bounds(scrape, "chosen"));
        Assert.Equal(["1", "2", "+Inf"], Bounds(scrape, "advised"));
        Assert.Equal(34, Bounds(scrape, "micros_microseconds").Count());
    }

    [Fact]
    public async Task Scrape_OneInstrumentOfAMeterChosen_HasThatAlone()
    {
        using var host = new MetricsHost(options => options.Meters.Add("Test.Large/wanted"));
        var meter = host.Meters.Create(new MeterOptions("Test.Large"));
        meter.CreateCounter<long>("wanted").Add(1);
        meter.CreateCounter<long>("unwanted").Add(1);

        var scrape = await host.ScrapeAsync();

        Assert.Equal(1, scrape["wanted_total"]);
        Assert.False(scrape.HasFamily("unwanted_total"));
    }

    [Fact]
    public async Task Scrape_MeterNotChosenOrOfAnotherHost_IsLeftOut()
    {
        using var host = new MetricsHost();
        using var other = new MetricsHost();
        host.Meters.Create(new MeterOptions("Test.Unchosen")).CreateCounter<long>("unchosen").Add(1);
        other.CreateMeter().CreateCounter<long>("elsewhere").Add(1);
        using var unscoped = new Meter(MetricsHost.MeterName);
        unscoped.CreateCounter<long>("everywhere").Add(1);

        var scrape = await host.ScrapeAsync();

        Assert.False(scrape.HasFamily("unchosen_total"));
        Assert.False(scrape.HasFamily("elsewhere_total"));
        Assert.Equal(1, scrape["everywhere_total"]);
    }

    [Fact]
    public async Task Measure_TagsPastTheLimit_AreDroppedAndCounted()
    {
        using var host = new MetricsHost(options => options.MaxSeriesPerInstrument = 3);
        var counter = host.CreateMeter().CreateCounter<long>("hits");
        for (var i = 0; i < 10; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("path", $"/{i}"));
        }

        var scrape = await host.ScrapeAsync();

        Assert.Equal(3, scrape.Samples.Count(sample => sample.StartsWith("hits_total", StringComparison.Ordinal)));
        Assert.Equal(7, scrape["cluster_metrics_errors{reason=series_limit}"]);
    }

    [Fact]
    public async Task Scrape_CallbackThrows_OthersAreExportedAndTheErrorCounted()
    {
        using var host = new MetricsHost();
        var meter = host.CreateMeter();
        _ = meter.CreateObservableGauge("broken", new Func<int>(() => throw new InvalidOperationException("broken")));
        _ = meter.CreateObservableGauge("whole", () => 1);

        var scrape = await host.ScrapeAsync();

        Assert.Equal(1, scrape["whole"]);
        Assert.Equal(1, scrape["cluster_metrics_errors{reason=callback}"]);
    }

    [Fact]
    public async Task Scrape_NameTakenByAnotherKind_KeepsTheFirstAndCountsTheConflict()
    {
        using var host = new MetricsHost();
        _ = host.Registry.Gauge("taken_total", "Now.").Acquire();
        host.CreateMeter().CreateCounter<long>("taken").Add(1);

        var scrape = await host.ScrapeAsync();

        Assert.Equal("gauge", scrape.Types["taken_total"]);
        Assert.Equal(0, scrape["taken_total"]);
        Assert.Equal(1, scrape["cluster_metrics_errors{reason=name_conflict}"]);
    }

    [Fact]
    public async Task Scrape_OddLabelNames_AreMadeValid()
    {
        using var host = new MetricsHost();
        host.CreateMeter().CreateCounter<long>("odd").Add(
            1, [new("a.b", "1"), new("a-b", "2"), new("0", 3), new("le", "x"), new("__name__", "y"), new("none", null)]);

        Assert.Equal(1, (await host.ScrapeAsync())["odd_total{_0=3,a_b=1;2,exported_le=x,exported_name__=y}"]);
    }

    [Fact]
    public void Measure_KnownTags_AllocatesNothing()
    {
        using var host = new MetricsHost();
        var meter = host.CreateMeter();
        var counter = meter.CreateCounter<long>("hits");
        var histogram = meter.CreateHistogram<double>("time", "s");
        object status = 200;
        void Record()
        {
            KeyValuePair<string, object?> a = new("method", "GET"), b = new("status", status), c = new("route", "/v2"), d = new("scheme", "http"), e = new("host", "x");
            counter.Add(1, a, b, c);
            histogram.Record(0.1, [a, b, c, d, e]);
        }

        Assert.Equal(0, Allocations.Of(Record));
    }

    [Theory]
    [InlineData("http.server.request.duration", "s", MetricKind.Histogram, "http_server_request_duration_seconds")]
    [InlineData("dotnet.gc.heap.total_allocated", "By", MetricKind.Counter, "dotnet_gc_heap_total_allocated_bytes_total")]
    [InlineData("kestrel.active_connections", "{connection}", MetricKind.Gauge, "kestrel_active_connections")]
    [InlineData("disk.rate", "By/s", MetricKind.Gauge, "disk_rate_bytes_per_second")]
    [InlineData("sent.bytes", "By", MetricKind.Counter, "sent_bytes_total")]
    [InlineData("things.total", null, MetricKind.Counter, "things_total")]
    [InlineData("1st-try", null, MetricKind.Gauge, "_1st_try")]
    [InlineData("odd.unit", "furlong", MetricKind.Gauge, "odd_unit")]
    internal void InstrumentName_OfInstrument_FollowsPrometheus(string name, string? unit, MetricKind kind, string expected) =>
        Assert.Equal(expected, InstrumentName.Of(name, unit, kind));

    private static IEnumerable<string> Bounds(Exposition scrape, string name) =>
        scrape.Samples.Where(sample => sample.StartsWith(name + "_bucket", StringComparison.Ordinal)).Select(sample => sample.Split("le=")[1].TrimEnd('}'));
}
