using System.Diagnostics.Metrics;
using Cluster.Metrics;
using Xunit;

namespace Cluster.Unit.Metrics;

public sealed class MetricFamilyTests
{
    [Fact]
    public async Task Release_LastHolder_RemovesTheSeries()
    {
        using var host = new MetricsHost();
        var family = host.Registry.Counter("c", "Counts.", "name");
        var first = family.Acquire("x");
        var second = family.Acquire("x");
        first.Increment();

        Assert.Same(first, second);
        family.Release(first);
        Assert.Equal(1, (await host.ScrapeAsync())["c{name=x}"]);
        family.Release(second);
        Assert.False((await host.ScrapeAsync()).HasFamily("c"));
        Assert.Equal(0, family.Acquire("x").Value);
    }

    [Fact]
    public void Acquire_WrongNumberOfValues_Throws()
    {
        using var host = new MetricsHost();
        var family = host.Registry.Counter("c", "Counts.", "name", "version");

        Assert.Throws<ArgumentException>(() => family.Acquire("x"));
    }

    [Fact]
    public async Task Acquire_PastTheLimit_CountsTheRefusalAndExportsNothing()
    {
        using var host = new MetricsHost();
        var errors = host.Registry.Counter("cluster_metrics_errors", "", "reason").Acquire("series_limit");
        var family = new MetricFamily<ValueSeries>(
            new FamilyDescription("c", "Counts.", MetricKind.Counter, ["name"], 2), (key, tags) => new ValueSeries("c"u8.ToArray(), key, tags), errors);
        var known = family.Acquire("a");
        _ = family.Acquire("b");

        var refused = family.Acquire("c");
        refused.Increment();

        Assert.Equal(["name=\"a\"", "name=\"b\""], family.Snapshot().Select(series => series.Key));
        Assert.Equal(1, (await host.ScrapeAsync())["cluster_metrics_errors{reason=series_limit}"]);
        family.Release(known);
        var admitted = family.Acquire("c");
        family.Release(refused);
        Assert.Contains(admitted, family.Snapshot());
    }

    [Fact]
    public void Counter_NameOfAGauge_Throws()
    {
        using var host = new MetricsHost();
        _ = host.Registry.Gauge("taken", "Now.");

        Assert.Throws<InvalidOperationException>(() => host.Registry.Counter("taken", "Counts."));
        Assert.Throws<InvalidOperationException>(() => host.Registry.Histogram("taken", "Times.", [1]));
        Assert.Throws<InvalidOperationException>(() => host.Registry.Counter("not valid", "Counts."));
    }

    [Fact]
    public void Registry_OtherListener_SeesEveryFamilyAsInstrument()
    {
        using var host = new MetricsHost();
        host.Registry.Counter("c", "Counts.", "name").Acquire("x").Add(2);
        host.Registry.Gauge("g", "Now.").Acquire().Set(5);
        var histogram = host.Registry.Histogram("h", "Times.", [1], "name").Acquire("x");
        histogram.Record(1);
        var seen = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, host.Meters))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
            seen.Add($"{instrument.Name} {string.Join(',', tags.ToArray().Select(tag => tag.Key + "=" + tag.Value))} {value}"));
        listener.Start();

        listener.RecordObservableInstruments();
        histogram.Record(3);

        Assert.Contains("c name=x 2", seen);
        Assert.Contains("g  5", seen);
        Assert.Contains("h name=x 3", seen);
        Assert.DoesNotContain("h name=x 1", seen);
    }
}
