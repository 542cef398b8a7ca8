using Cluster.Gateway.Hosting;
using Cluster.Tests.Common;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Testing;
using Xunit;

namespace Cluster.Unit.Gateway.Hosting;

public sealed class ConnectionGateTests
{
    private readonly FakeLogger<ConnectionGate> _log = new();
    private readonly ManualTimeProvider _time = new();
    private readonly ConnectionGate _gate;
    private readonly List<Client> _clients = [];

    public ConnectionGateTests() => _gate = new ConnectionGate(2, _time, _log);

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
        b.Place.Keep();

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

    private Client Connect()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        var client = new Client(_gate);
        _clients.Add(client);
        return client;
    }

    private sealed class Client : DefaultConnectionContext
    {
        public Client(ConnectionGate gate) => Served = gate.RunAsync(this, _ => End.Task);

        public TaskCompletionSource End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Served { get; }

        public bool IsAborted { get; private set; }

        public ConnectionPlace Place => Features.Get<ConnectionPlace>()!;

        public override void Abort(ConnectionAbortedException abortReason) => IsAborted = true;
    }
}
