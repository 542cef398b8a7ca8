using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cluster.Gateway.Hosting;
using Cluster.Gateway.Metrics;
using Cluster.Metrics;
using Cluster.Tests.Common;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Gateway.Hosting;

/// <summary>Connections of a real web server that end by hand-made frames; the gate's time is the test's.</summary>
public sealed class FloodWatchTests : IAsyncLifetime
{
    private const int Streams = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ManualTimeProvider _time = new();
    private WebApplication _app = null!;
    private FloodWatch? _watch;
    private int _port;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddClusterMetrics();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            var services = kestrel.ApplicationServices;
            var options = new LimitOptions { FloodsBeforeHold = 2 };
            var holds = new AddressHolds(options, services.GetRequiredService<MetricRegistry>(), _time, NullLogger<AddressHolds>.Instance);
            _watch = new FloodWatch(holds, services.GetRequiredService<IMeterFactory>());
            var gate = new ConnectionGate(100, options, holds, new Random(1), _time, NullLogger<ConnectionGate>.Instance);
            kestrel.Limits.Http2.MaxStreamsPerConnection = Streams;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(next => connection => gate.RunAsync(connection, next));
            });
        });
        _app = builder.Build();
        _app.MapMetrics();

        // Calls end with their connection, not with their reset: so that the limit of resets is met.
        _app.MapFallback(static http => Task.Delay(Timeout.InfiniteTimeSpan, http.Features.GetRequiredFeature<IConnectionLifetimeFeature>().ConnectionClosed));
        await _app.StartAsync(TestContext.Current.CancellationToken);
        _port = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _watch?.Dispose();
    }

    public static TheoryData<string> Violations => ["rapid reset", "made you reset, by a window of 0", "made you reset, by an overflowing window", "made you reset, by data after the end"];

    [Theory]
    [MemberData(nameof(Violations))]
    public async Task Address_WhoseConnectionsEndedByFloods_GetsNoNewOneForASecond(string flood)
    {
        Assert.True(await IsServedAsync(Floods.Origin));
        await FloodAsync(flood);
        Assert.True(await IsServedAsync(Floods.Origin));
        await FloodAsync(flood);
        await UntilAsync("cluster_address_holds", 1);

        using var held = await ConnectAsync(Floods.Origin);
        var first = ReadAsync(held);
        await UntilAsync("cluster_held_connections", 1);
        Assert.True(await IsServedAsync(IPAddress.Loopback));
        Assert.False(first.IsCompleted);

        // What is refused is closed with the hold, and the next connection is served.
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, await first.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.True(await IsServedAsync(Floods.Origin));
        _time.Advance(TimeSpan.FromSeconds(1));
        await FloodAsync(flood);
        await UntilAsync("cluster_address_holds", 2);
        using var again = await ConnectAsync(Floods.Origin);
        var second = ReadAsync(again);
        await UntilAsync("cluster_held_connections", 2);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await IsServedAsync(IPAddress.Loopback));
        Assert.False(second.IsCompleted);
    }

    /// <summary>The tag that leads to an address neither shows nor splits the series.</summary>
    [Fact]
    public async Task Metrics_OfConnections_NameNoAddress()
    {
        await IsServedAsync(Floods.Origin);
        await IsServedAsync(IPAddress.Loopback);
        using var http = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        string[] counts;
        do
        {
            var text = await http.GetStringAsync(new Uri($"http://127.0.0.1:{_port}/metrics"), TestContext.Current.CancellationToken);
            counts = [.. text.Split('\n').Where(static line => line.StartsWith("kestrel_connection_duration_seconds_count", StringComparison.Ordinal))];
        }
        while (counts.Sum(static line => int.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture)) < 2);

        Assert.DoesNotContain(counts, static line => line.Contains("origin", StringComparison.Ordinal));
    }

    private async Task FloodAsync(string flood)
    {
        using var client = await ConnectAsync(Floods.Origin);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        stop.CancelAfter(Patience);
        await Record.ExceptionAsync(() => Floods.All[flood].RunAsync(client.GetStream(), stop.Token));
        Assert.False(stop.IsCancellationRequested, "the server closed no connection");
    }

    /// <summary>A connection has ended for its peer before the server says why.</summary>
    private async Task UntilAsync(string counter, int count)
    {
        var counted = _app.Services.GetRequiredService<MetricRegistry>().Counter(counter, "").Acquire();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        while (counted.Value < count)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    private async Task<TcpClient> ConnectAsync(IPAddress from)
    {
        var client = new TcpClient(new IPEndPoint(from, 0));
        await client.ConnectAsync(IPAddress.Loopback, _port, TestContext.Current.CancellationToken);
        return client;
    }

    /// <summary>Whether the server's first frame comes.</summary>
    private async Task<bool> IsServedAsync(IPAddress from)
    {
        using var client = await ConnectAsync(from);
        await client.GetStream().WriteAsync((byte[])[.. Http2Frames.Preface, .. Http2Frames.Settings()], TestContext.Current.CancellationToken);
        return await ReadAsync(client).WaitAsync(Patience, TestContext.Current.CancellationToken) > 0;
    }

    /// <returns>Bytes; 0 where the connection was closed.</returns>
    private static async Task<int> ReadAsync(TcpClient client)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[9], TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
