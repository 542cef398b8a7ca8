using System.Net;
using Cluster.Gateway.Hosting;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Testing;
using Xunit;

namespace Cluster.Unit.Gateway.Hosting;

public sealed class ConnectionGateTests : IDisposable
{
    private readonly FakeLogger<ConnectionGate> _log = new();
    private readonly ManualTimeProvider _time = new();
    private readonly MetricsHost _metrics = new();
    private readonly AddressHolds _holds;
    private readonly ConnectionGate _gate;
    private readonly List<Client> _clients = [];

    public ConnectionGateTests()
    {
        _holds = new AddressHolds(new LimitOptions { FloodsBeforeHold = 1 }, _metrics.Registry, _time, NullLogger<AddressHolds>.Instance);
        _gate = Gate(2, new LimitOptions { ConnectionsPerAddress = 2, ConnectionAge = TimeSpan.FromHours(1) });
    }

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void Connect_AllPlacesIdle_TheLongestIdleMakesWay()
    {
        var (a, b) = (Connect(), Connect());
        a.Place.Begin();
        _time.Advance(TimeSpan.FromSeconds(1));
        a.Place.End();

        var c = Connect();

        Assert.Equal([false, true, false], new[] { a, b, c }.Select(static client => client.IsAborted));
        Assert.Equal(2, _gate.Count);
        Assert.Equal(3240, Assert.Single(_log.Collector.GetSnapshot()).Id.Id);
    }

    [Fact]
    public void Connect_AllPlacesBusy_IsRefused()
    {
        var (a, b) = (Connect(), Connect());
        a.Place.Begin();
        b.Place.Begin();

        Assert.True(Connect().IsAborted);
        Assert.False(a.IsAborted || b.IsAborted);
        a.Place.End();
        Assert.False(Connect().IsAborted);
        Assert.True(a.IsAborted);
    }

    [Fact]
    public async Task Close_Ended_LeavesItsPlace()
    {
        var (a, _) = (Connect(), Connect());

        a.End.SetResult();
        await a.Served.Soon();

        Assert.Equal(1, _gate.Count);
        Assert.False(Connect().IsAborted);
        Assert.Empty(_log.Collector.GetSnapshot());
    }

    [Theory]
    [InlineData(1024, 640)]
    [InlineData(1_048_576, 1_048_192)]
    [InlineData(400, 200)]
    [InlineData(double.PositiveInfinity, int.MaxValue)]
    public void LimitFor_Descriptors_LeavesAReserve(double descriptors, int expected) => Assert.Equal(expected, ConnectionGate.LimitFor(descriptors));

    /// <summary>As when the web server waits for a window that the peer will never open: the connection is held by nothing of ours.</summary>
    [Fact]
    public void Close_PeerGoneAndTheWebServerNeverEnds_LeavesItsPlaceAndItsTimer()
    {
        var a = Connect();
        using var closed = new CancellationTokenSource();
        var b = Connect(closed.Token);
        a.Place.Begin();
        b.Place.Begin();

        closed.Cancel();

        Assert.Equal(1, _gate.Count);
        Assert.False(b.Served.IsCompleted);
        _time.Advance(TimeSpan.FromHours(2));
        Assert.Equal([true, false], new[] { a, b }.Select(static client => client.IsToldToEnd));
    }

    /// <summary>One address cannot keep another out, though it never idles.</summary>
    [Fact]
    public async Task Connect_OneAddressHasItsShare_TheOthersHaveTheRest()
    {
        var gate = Gate(4, new LimitOptions());
        var (a, b) = (Connect(gate, "10.0.0.1"), Connect(gate, "10.0.0.1"));
        a.Place.Begin();
        b.Place.Begin();

        Assert.True(Connect(gate, "10.0.0.1").IsAborted);
        Assert.False(Connect(gate, "10.0.0.2").IsAborted || Connect(gate, "10.0.0.3").IsAborted);
        a.End.SetResult();
        await a.Served.Soon();
        Assert.False(Connect(gate, "10.0.0.1").IsAborted);
    }

    [Fact]
    public void Connect_OneAddressHasItsShare_ItsOwnIdleOneMakesWay()
    {
        var gate = Gate(4, new LimitOptions());
        var other = Connect(gate, "10.0.0.2");
        var (a, b) = (Connect(gate, "10.0.0.1"), Connect(gate, "10.0.0.1"));

        var c = Connect(gate, "10.0.0.1");

        Assert.Equal([false, true, false, false], new[] { other, a, b, c }.Select(static client => client.IsAborted));
    }

    [Fact]
    public void Age_Reached_TheClientIsToldWithinATenth()
    {
        var gate = Gate(100, new LimitOptions { ConnectionAge = TimeSpan.FromMinutes(10) });
        var clients = Enumerable.Range(0, 20).Select(_ => Connect(gate, "10.0.0.1")).ToList();

        _time.Advance(TimeSpan.FromMinutes(9) - TimeSpan.FromSeconds(20));
        Assert.DoesNotContain(clients, static client => client.IsToldToEnd);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Contains(clients, static client => client.IsToldToEnd);
        Assert.Contains(clients, static client => !client.IsToldToEnd);
        _time.Advance(TimeSpan.FromMinutes(1.5));
        Assert.All(clients, static client => Assert.True(client.IsToldToEnd));
        Assert.DoesNotContain(clients, static client => client.IsAborted);
    }

    [Fact]
    public async Task Connect_AddressHeldBack_IsClosedWithTheHoldAndHasNoPlace()
    {
        _holds.Flooded(IPAddress.Parse("10.0.0.1"), 0, "unexpected_frame");
        var gate = Gate(100, new LimitOptions());
        var held = new Client(gate, "10.0.0.1", default);

        Assert.Equal((0, false), (gate.Count, held.IsAborted));
        Assert.False(new Client(gate, "10.0.0.2", default).IsAborted);
        _time.Advance(TimeSpan.FromSeconds(1));
        await held.Served.Soon();
        Assert.True(held.IsAborted);
        Assert.False(Connect(gate, "10.0.0.1").IsAborted);
    }

    /// <summary>They wait in descriptors that other things need.</summary>
    [Fact]
    public void Connect_ManyOfAnAddressHeldBack_TheRestIsClosedAtOnce()
    {
        _holds.Flooded(IPAddress.Parse("10.0.0.1"), 0, "unexpected_frame");
        var gate = Gate(1000, new LimitOptions());
        var clients = Enumerable.Range(0, 100).Select(_ => new Client(gate, "10.0.0.1", default)).ToList();

        Assert.Equal(36, clients.Count(static client => client.IsAborted));
    }

    private ConnectionGate Gate(int limit, LimitOptions options) => new(limit, options, _holds, new Random(1), _time, _log);

    private Client Connect(CancellationToken closed = default) => Connect(_gate, "10.0.0.1", closed);

    private Client Connect(ConnectionGate gate, string address, CancellationToken closed = default)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        var client = new Client(gate, address, closed);
        _clients.Add(client);
        return client;
    }

    private sealed class Client : DefaultConnectionContext, IConnectionLifetimeNotificationFeature
    {
        public Client(ConnectionGate gate, string address, CancellationToken closed)
        {
            ConnectionClosed = closed;
            RemoteEndPoint = new IPEndPoint(IPAddress.Parse(address), 1);
            Features.Set<IConnectionLifetimeNotificationFeature>(this);
            Served = gate.RunAsync(this, _ => End.Task);
        }

        public CancellationToken ConnectionClosedRequested { get; set; }

        public bool IsToldToEnd { get; private set; }

        public TaskCompletionSource End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Served { get; }

        public bool IsAborted { get; private set; }

        public ConnectionPlace Place => Features.Get<ConnectionPlace>()!;

        public override void Abort(ConnectionAbortedException abortReason) => IsAborted = true;

        public void RequestClose() => IsToldToEnd = true;
    }
}
