using System.Diagnostics;
using System.Net;
using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using StackExchange.Redis;
using Xunit;

namespace Cluster.Unit.Clustering;

/// <summary>Three Orleans hosts in this process, put together as silos are, with a real Redis.</summary>
public sealed class SiloDeathTests(ITestOutputHelper output)
{
    /// <summary>A tenth of a second between two refusals, and what a busy machine adds.</summary>
    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task SiloIsGoneFromTheNetwork_AllOthersSeeItDeadInASecond()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.Endpoint);
        var hosts = Enumerable.Range(0, 3).Select(_ => new SiloHost(connection)).ToList();
        try
        {
            await Task.WhenAll(hosts.Select(static host => host.StartAsync())).Soon();
            await Task.WhenAll(hosts.Select(host => host.UntilAsync(snapshot => hosts.All(other => snapshot.GetSiloStatus(other.Silo) == SiloStatus.Active)))).Soon();

            // What ends sooner does not count as a connection with a silo.
            await Task.Delay(ConnectionEnds.ShortestIncoming, TestContext.Current.CancellationToken);
            var watch = Stopwatch.StartNew();
            await hosts[2].VanishAsync();
            await Task.WhenAll(hosts[..2].Select(host => host.UntilAsync(snapshot => snapshot.GetSiloStatus(hosts[2].Silo) == SiloStatus.Dead))).Soon();
            var noticed = watch.Elapsed;

            output.WriteLine($"noticed by all after {noticed.TotalMilliseconds:0} ms");
            Assert.InRange(noticed, TimeSpan.Zero, Noticed);
            await hosts[2].Removed.Soon();
            Assert.All(hosts[..2], static host => Assert.False(host.Removed.IsCompleted));
        }
        finally
        {
            foreach (var host in hosts)
            {
                await host.DisposeAsync();
            }
        }
    }

    /// <summary>One silo, which can be taken off the network: its port closes and its connections break, as if its process had been killed.</summary>
    private sealed class SiloHost : IFatalErrorHandler, IAsyncDisposable
    {
        private readonly TaskCompletionSource _removed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<ConnectionContext> _connections = [];
        private readonly List<IConnectionListener> _listeners = [];
        private readonly IHost _host;
        private volatile bool _vanished;

        public SiloHost(IConnectionMultiplexer redis)
        {
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Services.AddSingleton(TimeProvider.System);
            builder.Services.AddSingleton<Func<Task<IConnectionMultiplexer>>>(() => Task.FromResult(redis));
            builder.Services.AddSingleton<IFatalErrorHandler>(this);
            builder.UseOrleans(silo =>
            {
                silo.ConfigureEndpoints(IPAddress.Loopback, FreePort.Take(), gatewayPort: 0);
                silo.AddClusterMembership();
                Capture(silo.Services);
            });
            _host = builder.Build();
        }

        public SiloAddress Silo => _host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

        /// <summary>Ends when this silo learns that it was declared dead.</summary>
        public Task Removed => _removed.Task;

        public Task StartAsync() => _host.StartAsync();

        public async Task UntilAsync(Func<ClusterMembershipSnapshot, bool> condition)
        {
            await foreach (var snapshot in _host.Services.GetRequiredService<IClusterMembershipService>().MembershipUpdates)
            {
                if (condition(snapshot))
                {
                    return;
                }
            }
        }

        public async Task VanishAsync()
        {
            _vanished = true;
            foreach (var listener in _listeners)
            {
                await listener.UnbindAsync();
            }

            lock (_connections)
            {
                _connections.ForEach(static connection => connection.Abort());
            }
        }

        public bool IsUnexpected(Exception exception) => exception is not OperationCanceledException;

        public void OnFatalException(object? sender, string? context, Exception? exception) => _removed.TrySetResult();

        public async ValueTask DisposeAsync()
        {
            using var atOnce = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await _host.StopAsync(atOnce.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
            await ((IAsyncDisposable)_host).DisposeAsync();
        }

        private void Capture(IServiceCollection services)
        {
            services.Configure<SiloConnectionOptions>(options =>
            {
                options.ConfigureSiloInboundConnection(connection => connection.Use(Capture));
                options.ConfigureSiloOutboundConnection(connection => connection.Use(Capture));
            });
            foreach (var factory in services.Where(static service => service.IsKeyedService && service.ServiceType == typeof(IConnectionListenerFactory)).ToList())
            {
                services.Remove(factory);
                services.AddKeyedSingleton<IConnectionListenerFactory>(
                    factory.ServiceKey, (provider, key) => new CapturingFactory((IConnectionListenerFactory)factory.KeyedImplementationFactory!(provider, key), _listeners));
            }
        }

        private ConnectionDelegate Capture(ConnectionDelegate next) => connection =>
        {
            lock (_connections)
            {
                _connections.Add(connection);
            }

            if (_vanished)
            {
                connection.Abort();
            }

            return next(connection);
        };
    }

    private sealed class CapturingFactory(IConnectionListenerFactory inner, List<IConnectionListener> listeners) : IConnectionListenerFactory
    {
        public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            var listener = await inner.BindAsync(endpoint, cancellationToken);
            listeners.Add(listener);
            return listener;
        }
    }
}
