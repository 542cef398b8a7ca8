using Cluster.Metrics;
using Xunit;

namespace Cluster.Unit.Metrics;

public sealed class PrometheusExporterTests
{
    [Fact]
    public async Task WriteAsync_EachKind_WritesTheTextFormat()
    {
        using var host = new MetricsHost();
        host.Registry.Counter("a_counter", "Counts.", "name").Acquire("x").Add(3);
        host.Registry.Gauge("b_gauge", "Goes up\nand \\ down.").Acquire().Set(-1.5);
        host.Registry.Histogram("c_histogram", "Times.", [1, 2.5], "name").Acquire("x").Record(2);

        var text = await host.RenderAsync();

        var own = text.Split("# HELP cluster_metrics_errors")[0]
            + text[text.IndexOf("# HELP c_histogram", StringComparison.Ordinal)..text.IndexOf("# HELP cluster_metrics_errors", StringComparison.Ordinal)];
        Assert.StartsWith(
            """
            # HELP a_counter Counts.
            # TYPE a_counter counter
            a_counter{name="x"} 3
            # HELP b_gauge Goes up\nand \\ down.
            # TYPE b_gauge gauge
            b_gauge -1.5
            # HELP c_histogram Times.
            # TYPE c_histogram histogram
            c_histogram_bucket{name="x",le="1"} 0
            c_histogram_bucket{name="x",le="2.5"} 1
            c_histogram_bucket{name="x",le="+Inf"} 1
            c_histogram_sum{name="x"} 2
            c_histogram_count{name="x"} 1

            """,
            own,
            StringComparison.Ordinal);
        _ = Exposition.Parse(text);
    }

    [Fact]
    public async Task WriteAsync_HistogramWithoutLabels_WritesTheBoundAlone()
    {
        using var host = new MetricsHost();
        host.Registry.Histogram("plain", "Times.", [1]).Acquire().Record(7);

        var scrape = await host.ScrapeAsync();

        Assert.Equal(0, scrape["plain_bucket{le=1}"]);
        Assert.Equal(1, scrape["plain_bucket{le=+Inf}"]);
        Assert.Equal(7, scrape["plain_sum"]);
        Assert.Equal(1, scrape["plain_count"]);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("quote\" brace} comma, equals=")]
    [InlineData("back\\slash\\n and\nnewline")]
    [InlineData("ends with \\")]
    [InlineData("Übung 模型 🙂")]
    public async Task WriteAsync_LabelValue_ReadsBackUnchanged(string value)
    {
        using var host = new MetricsHost();
        host.Registry.Counter("c", "Counts.", "name", "version").Acquire(value, "1").Increment();

        var scrape = await host.ScrapeAsync();

        Assert.Equal(1, scrape[$"c{{name={value},version=1}}"]);
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(-3, "-3")]
    [InlineData(9007199254740992, "9007199254740992")]
    [InlineData(1e300, "1E+300")]
    [InlineData(0.1, "0.1")]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(double.NaN, "NaN")]
    public void Number_Value_IsWrittenAsPrometheusReadsIt(double value, string expected) => Assert.Equal(expected, ExpositionText.Number(value));

    [Fact]
    public async Task WriteAsync_AnyOrderOfCreation_SortsFamiliesAndSeries()
    {
        using var host = new MetricsHost();
        var late = host.Registry.Counter("zz", "Late.", "name");
        var early = host.Registry.Counter("aa", "Early.", "name");
        _ = late.Acquire("2");
        _ = early.Acquire("b");
        _ = late.Acquire("10");
        _ = early.Acquire("a");

        var scrape = await host.ScrapeAsync();

        Assert.Equal(["aa{name=a}", "aa{name=b}"], scrape.Samples.Take(2));
        Assert.Equal(["zz{name=10}", "zz{name=2}"], scrape.Samples.TakeLast(2));
        Assert.Equal(await host.RenderAsync(), await host.RenderAsync());
    }

    [Fact]
    public async Task WriteAsync_FamilyWithoutSeries_IsLeftOut()
    {
        using var host = new MetricsHost();
        _ = host.Registry.Counter("nothing", "Counts.", "name");

        Assert.False((await host.ScrapeAsync()).HasFamily("nothing"));
    }

    [Fact]
    public async Task WriteAsync_ManyModels_ParsesBack()
    {
        using var host = new MetricsHost();
        var family = host.Registry.Histogram("h", "Times.", HistogramBounds.Microseconds, "name");
        for (var i = 0; i < 500; i++)
        {
            family.Acquire($"model{i}").Record(i);
        }

        var scrape = await host.ScrapeAsync();

        Assert.Equal(499, scrape["h_sum{name=model499}"]);
        Assert.Equal(500 * (34 + 2), scrape.Samples.Count(sample => sample.StartsWith("h_", StringComparison.Ordinal)));
    }
}
