using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Xunit;

namespace Cluster.Unit.Clustering;

public sealed class ConnectionEndsTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly SiloConnectionOptions _options = new();
    private readonly TaskCompletionSource _end = new();
    private int _ended;

    public ConnectionEndsTests()
    {
        var ends = new ConnectionEnds(_time);
        ends.Ended += () => _ended++;
        ends.Observe(_options);
    }

    private SiloConnectionOptions.ISiloConnectionBuilderOptions Builders => _options;

    [Fact]
    public async Task Outgoing_Ends_IsTold()
    {
        var connection = Run(Builders.ConfigureSiloOutboundBuilder);
        Assert.Equal(0, _ended);

        _end.SetException(new IOException("reset"));

        await Assert.ThrowsAsync<IOException>(() => connection);
        Assert.Equal(1, _ended);
    }

    [Fact]
    public async Task Incoming_EndsLater_IsTold()
    {
        var connection = Run(Builders.ConfigureSiloInboundBuilder);
        _time.Advance(ConnectionEnds.ShortestIncoming);
        _end.SetResult();

        await connection;
        Assert.Equal(1, _ended);
    }

    /// <summary>Two silos that look at each other's ports would look for ever.</summary>
    [Fact]
    public async Task Incoming_EndsAtOnce_WasALookAndIsNotTold()
    {
        var connection = Run(Builders.ConfigureSiloInboundBuilder);
        _time.Advance(ConnectionEnds.ShortestIncoming - TimeSpan.FromMilliseconds(1));
        _end.SetResult();

        await connection;
        Assert.Equal(0, _ended);
    }

    private Task Run(Action<IConnectionBuilder> configure)
    {
        var builder = new ConnectionBuilder(new ServiceCollection().BuildServiceProvider());
        configure(builder);
        return builder.Run(_ => _end.Task).Build()(new DefaultConnectionContext());
    }
}
