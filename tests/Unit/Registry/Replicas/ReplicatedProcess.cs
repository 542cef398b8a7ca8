using System.Net;
using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Grains;
using Cluster.Grains.Placement;
using Cluster.Grains.Registry;
using Cluster.Grains.Storage;
using Cluster.Grains.Workers;
using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Cluster.Unit.Registry.Replicas;

/// <summary>A silo or a gateway on a real Redis, registered as a server registers it.</summary>
internal sealed class ReplicatedProcess : IAsyncDisposable
{
    private const string Cluster = "test";

    private readonly IHost _host;

    private ReplicatedProcess(Action<IServiceCollection> configure) => _host = new HostBuilder().ConfigureServices(services =>
    {
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        configure(services);
    }).Build();

    public LogSink Log { get; } = new();

    public IServingStates States => Get<IServingStates>();

    public IRegistrations Registrations => Get<IRegistrations>();

    public IAliases Aliases => Get<IAliases>();

    public ISiloStates SiloStates => Get<ISiloStates>();

    public T Get<T>()
        where T : notnull => _host.Services.GetRequiredService<T>();

    public SiloAddress Silo => Get<ILocalSiloDetails>().SiloAddress;

    public static Task<ReplicatedProcess> StartSiloAsync(RedisServer redis, params string[] labels) => StartAsync(services =>
    {
        services.AddSharedRedis(options => Configure(options, redis));
        services.AddReplicatedModelRegistry(new SiloStateOptions { Labels = [.. labels], Version = 3 });
        services.AddReplicatedGrainStorage(ModelGrains.StorageName);
        services.AddModelGrains(new InferenceOptions());
        services.AddOrleansSilo(new OrleansSilo { ClusterId = Cluster, Advertised = new IPEndPoint(IPAddress.Loopback, FreePort.Take()) });
    });

    public static Task<ReplicatedProcess> StartGatewayAsync(RedisServer redis) => StartAsync(services =>
    {
        services.Configure<ClusterOptions>(static options => options.ClusterId = Cluster);
        services.AddSharedRedis(options => Configure(options, redis)).AddReplicatedServingStates();
    });

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync().Soon();
        _host.Dispose();
    }

    private static async Task<ReplicatedProcess> StartAsync(Action<IServiceCollection> configure)
    {
        var process = new ReplicatedProcess(configure);
        await process._host.StartAsync().Soon();
        return process;
    }

    private static void Configure(RedisOptions options, RedisServer redis)
    {
        options.Endpoints = redis.Endpoint;
        options.ConnectTimeout = options.OperationTimeout = TimeSpan.FromSeconds(5);
    }
}
