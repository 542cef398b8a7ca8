using System.Diagnostics;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.Serving;
using Cluster.Metrics;
using Xunit;

namespace Cluster.Unit.Metrics;

/// <summary>The form that has exemplars.</summary>
public sealed class OpenMetricsTests
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    [Fact]
    public async Task RequestTime_OfARecordedTrace_NamesIt()
    {
        using var host = new MetricsHost();
        var requests = new RequestMetrics(host.Registry);
        requests.Ensure("m", 1);
        using var span = new Activity("infer").SetParentId(ActivityTraceId.CreateFromString(Trace), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded).Start();

        requests.Success("m", 1, Protocol.Rest, ServingMethod.ModelInfer, TimeSpan.FromMilliseconds(3), span);
        requests.Success("m", 1, Protocol.Rest, ServingMethod.ModelInfer, TimeSpan.FromSeconds(3));

        var open = await host.RenderAsync(ExpositionFormat.OpenMetrics);
        Assert.Single(open.Split('\n'), static line => line.Contains("# {", StringComparison.Ordinal));
        Assert.Matches($"ovms_request_time_us_bucket\\{{interface=\"REST\",name=\"m\",version=\"1\",le=\"[0-9]+\"\\}} 1 # \\{{trace_id=\"{Trace}\"\\}} 3000\n", open);
    }

    [Fact]
    public async Task Exemplars_AreOfTheLatestTraceOfABucket_AndInThisFormAlone()
    {
        using var host = new MetricsHost();
        var series = host.Registry.Histogram("h", "Help \"h\".", [1, 10], "name").Acquire("m");
        series.Record(0.5, ActivityTraceId.CreateRandom());
        series.Record(0.25, ActivityTraceId.CreateFromString(Trace));
        series.Record(5);
        series.Record(double.NaN, ActivityTraceId.CreateRandom());
        host.Registry.Counter("plain", "A counter.").Acquire().Increment();
        host.Registry.Counter("named_total", "Another.").Acquire().Increment();

        var open = await host.RenderAsync(ExpositionFormat.OpenMetrics);

        Assert.Contains($"# TYPE h histogram\nh_bucket{{name=\"m\",le=\"1\"}} 2 # {{trace_id=\"{Trace}\"}} 0.25\nh_bucket{{name=\"m\",le=\"10\"}} 3\nh_bucket{{name=\"m\",le=\"+Inf\"}} 3\n", open, StringComparison.Ordinal);
        Assert.Contains("# HELP h Help \\\"h\\\".\n", open, StringComparison.Ordinal);
        Assert.Contains("# TYPE plain unknown\nplain 1\n", open, StringComparison.Ordinal);
        Assert.Contains("# TYPE named counter\nnamed_total 1\n", open, StringComparison.Ordinal);
        Assert.EndsWith("\n# EOF\n", open, StringComparison.Ordinal);
        var text = await host.RenderAsync();
        Assert.DoesNotContain("trace_id", text, StringComparison.Ordinal);
        Assert.DoesNotContain("EOF", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE named_total counter\nnamed_total 1\n", text, StringComparison.Ordinal);
    }
}
