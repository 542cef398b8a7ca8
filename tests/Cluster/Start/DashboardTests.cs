using System.Globalization;
using System.Net;
using System.Text.Json;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Start;

/// <summary>Orleans' dashboard is there for this machine where it is asked for, and nowhere else.</summary>
public sealed class DashboardTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task Dashboard_OfASiloAndAGatewayButNotOfAll_ShowsTheClusterOnLoopbackAlone()
    {
        var ports = new[] { FreePort.Take(), FreePort.Take() };
        using var models = ModelFolder.Create();
        await using var redis = await RedisServer.StartNewAsync();
        await using var with = New("silo with", redis, ports[0], "silo", "--models", models.Path);
        await using var without = New("silo without", redis, 0, "silo", "--models", models.Path);
        await using var gateway = New("gateway with", redis, ports[1], "gateway", "--grpc-port", "0");
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        try
        {
            await Task.WhenAll(with.StartAsync(), without.StartAsync(), gateway.StartAsync());

            foreach (var port in ports)
            {
                var page = await AskAsync(http, Local(port, "/"));
                Assert.Equal((HttpStatusCode.OK, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
                Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(http, Local(port, "/"), "dashboard.example")).StatusCode);
                Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(http, Local(port, "/Trace"))).StatusCode);
                await UntilSilosAsync(http, port, 3);
            }

            Assert.Equal(HttpStatusCode.NotFound, (await AskAsync(http, new Uri(gateway.HttpUrl + "/index.html"), $"localhost:{ports[1]}")).StatusCode);
            Assert.NotEmpty(Loaded(with));
            Assert.NotEmpty(Loaded(gateway));
            Assert.Empty(Loaded(without));

            // Nor those that export traces, where no collector is named.
            Assert.Empty(Loaded(without, "OpenTelemetry"));
        }
        finally
        {
            foreach (var process in new[] { with, without, gateway })
            {
                output.WriteLine($"--- {process.Name}\n{process.Tail(20)}");
            }
        }
    }

    private static ClusterProcess New(string name, RedisServer redis, int port, params string[] arguments) => new(
        name,
        [.. arguments, "--redis", redis.Endpoint, "--http-port", "0", "--silo-port", "0"],
        settings: [string.Create(CultureInfo.InvariantCulture, $"Dashboard__Port={port}")]);

    private static Uri Local(int port, string path) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}{path}"));

    private static async Task<HttpResponseMessage> AskAsync(HttpClient http, Uri url, string? host = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Host = host;
        return await http.SendAsync(request);
    }

    /// <summary>Waits until the dashboard tells of so many processes. Until its grain has heard of all, it may answer with an error of Orleans.</summary>
    private static async Task UntilSilosAsync(HttpClient http, int port, int count)
    {
        using var timer = new PeriodicTimer(Look);
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (true)
        {
            using var counters = await http.GetAsync(Local(port, "/DashboardCounters"), limit.Token);
            if (counters.IsSuccessStatusCode)
            {
                using var json = JsonDocument.Parse(await counters.Content.ReadAsStringAsync(limit.Token));
                if (json.RootElement.GetProperty("hosts").GetArrayLength() == count)
                {
                    return;
                }
            }

            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>The libraries that a process has in memory, those of the dashboard if not said otherwise.</summary>
    private static IEnumerable<string> Loaded(ClusterProcess process, string path = "/dashboard/") =>
        File.ReadLines($"/proc/{process.Id}/maps").Where(line => line.Contains(path, StringComparison.Ordinal));
}
