using Cluster.Grains.Replication;
using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Cluster.Unit.Replication;

/// <summary>One redis-server for the tests of a class; each test has its own cluster in it.</summary>
public sealed class RedisFixture : IAsyncLifetime
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly List<SharedRedis> _connections = [];
    private RedisServer? _server;
    private int _clusters;

    /// <summary>The server; skips the test where there is none.</summary>
    internal RedisServer Server
    {
        get
        {
            Requires.Redis();
            return _server!;
        }
    }

    // A fixture that skipped would fail its tests.
    public async ValueTask InitializeAsync() => _server = Requires.HasRedis ? await RedisServer.StartNewAsync() : null;

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        await _services.DisposeAsync();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    internal RedisKeys NewCluster() => new($"test{Interlocked.Increment(ref _clusters)}");

    internal RedisConnection Connect() => Connect(Server);

    internal RedisConnection Connect(RedisServer server, Action<RedisOptions>? configure = null)
    {
        var options = new RedisOptions { Endpoints = server.Endpoint };
        if (server == _server)
        {
            // Generous, since a busy machine is no failure of what is tested here. A test's own server keeps the defaults: it goes away, and
            // an operation or half a handshake that it takes along ends after these times only. A first attempt without a listener takes up to the first.
            options.ConnectTimeout = options.OperationTimeout = Wait.Limit;
        }

        configure?.Invoke(options);
        var connection = new SharedRedis(Options.Create(options), TimeProvider.System, NullLogger<SharedRedis>.Instance);
        _connections.Add(connection);
        return new RedisConnection(connection.ConnectAsync, TimeProvider.System, NewMetrics(), NullLogger<RedisConnection>.Instance);
    }

    /// <summary>One process' replica of a map, not started.</summary>
    internal ReplicatedMap OpenMap(RedisServer server, RedisKeys keys, Action<ReplicationOptions>? configure = null, TimeProvider? time = null, Action<RedisOptions>? connect = null)
    {
        var options = new ReplicationOptions { StartTimeout = Wait.Limit };
        configure?.Invoke(options);
        return new ReplicatedMap(
            "map",
            Connect(server, connect),
            keys,
            options,
            new ReplicationMetrics(_services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>()),
            time ?? TimeProvider.System,
            NullLogger.Instance);
    }

    internal RedisMetrics NewMetrics() => new(_services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
}
