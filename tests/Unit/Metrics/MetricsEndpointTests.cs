using System.Diagnostics.Metrics;
using System.Net;
using Cluster.Gateway.Metrics;
using Cluster.Grains.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Metrics;

public sealed class MetricsEndpointTests
{
    [Fact]
    public async Task Get_RunningServer_ReportsProcessRuntimeServerAndModels()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddClusterMetrics().AddReplicaMetrics();
        await using var app = builder.Build();
        app.MapMetrics();
        app.MapGet("/hello", () => "hello");
        await app.StartAsync();
        using var runtime = new Meter("Cluster.Redis");
        runtime.CreateCounter<long>("cluster.redis.calls").Add(1);
        using var replica = app.Services.GetRequiredService<ReplicaMetricsFactory>().Create("m", 1, streams: 1, slots: 1);
        app.Services.GetRequiredService<RequestMetrics>().Ensure("m", 1);
        GC.Collect();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        _ = await client.GetStringAsync(new Uri("/hello", UriKind.Relative));

        using var response = await client.GetAsync(new Uri("/metrics", UriKind.Relative));
        using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/metrics"));
        using var post = await client.PostAsync(new Uri("/metrics", UriKind.Relative), content: null);
        Assert.Equal((HttpStatusCode.OK, response.Content.Headers.ContentType), (head.StatusCode, head.Content.Headers.ContentType));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "GET, HEAD"), (post.StatusCode, string.Join(", ", post.Content.Headers.Allow)));
        Assert.Equal("""{"error":"/metrics takes GET, not POST"}""", await post.Content.ReadAsStringAsync());
        var scrape = Exposition.Parse(await response.Content.ReadAsStringAsync());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.True(scrape["process_cpu_seconds_total"] > 0);
        Assert.True(scrape["process_resident_memory_bytes"] > 1_000_000);
        Assert.True(scrape["process_start_time_seconds"] > 1_600_000_000);
        if (OperatingSystem.IsLinux())
        {
            Assert.True(scrape["process_virtual_memory_bytes"] > scrape["process_resident_memory_bytes"]);
            Assert.True(scrape["process_threads"] > 1);
            Assert.True(scrape["process_open_fds"] > 3);
            Assert.True(scrape["process_max_fds"] >= scrape["process_open_fds"]);
        }

        Assert.Contains(scrape.Samples, sample => sample.StartsWith("dotnet_gc_collections_total{", StringComparison.Ordinal));
        Assert.Contains(scrape.Samples, sample => sample.StartsWith("dotnet_gc_last_collection_heap_size_bytes{", StringComparison.Ordinal));
        Assert.True(scrape["dotnet_gc_pause_time_seconds_total"] >= 0);
        Assert.Equal("gauge", scrape.Types["dotnet_thread_pool_thread_count"]);
        Assert.Equal(1, scrape[scrape.Samples.Single(sample => sample.StartsWith("kestrel_active_connections{", StringComparison.Ordinal))]);
        Assert.Equal(
            1,
            scrape[scrape.Samples.Single(sample => sample.StartsWith("http_server_request_duration_seconds_count{", StringComparison.Ordinal))]);
        Assert.Equal(1, scrape["cluster_redis_calls_total"]);
        Assert.Equal(1, scrape["cluster_models_loaded"]);
        Assert.Equal(0, scrape["ovms_current_requests{name=m,version=1}"]);
        Assert.Equal(0, scrape["ovms_requests_success{api=KServe,interface=gRPC,method=ModelInfer,name=m,version=1}"]);
        foreach (var (accept, type) in new[]
        {
            ("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
            ("text/plain, application/openmetrics-text;q=0.5", "text/plain; version=0.0.4; charset=utf-8"),
            ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
            request.Headers.TryAddWithoutValidation("Accept", accept);
            using var chosen = await client.SendAsync(request);
            Assert.Equal(type, chosen.Content.Headers.ContentType!.ToString());
            Assert.Equal(type.StartsWith("application", StringComparison.Ordinal), (await chosen.Content.ReadAsStringAsync()).EndsWith("\n# EOF\n", StringComparison.Ordinal));
        }

        await app.StopAsync();
    }
}
