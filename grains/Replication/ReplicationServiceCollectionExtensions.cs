using Cluster.Contracts.Options;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Replication;

/// <summary>Registers replicated maps.</summary>
public static class ReplicationServiceCollectionExtensions
{
    /// <summary>
    /// Opens a map in this process: a keyed <see cref="IReplicatedMap"/> of that name. It is complete once the services have started that are registered before what
    /// reads it. Doing so twice does no harm.
    /// </summary>
    /// <param name="name">The same in every process, of letters, digits and dashes.</param>
    public static IServiceCollection AddReplicatedMap(this IServiceCollection services, string name)
    {
        services.AddRedisConnection();
        services.AddClusterOptions<ReplicationOptions>();
        services.TryAddSingleton<ReplicationMetrics>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ReplicationService>());
        if (services.Any(service => service.IsKeyedService && service.ServiceType == typeof(IReplicatedMap) && Equals(service.ServiceKey, name)))
        {
            return services;
        }

        services.AddKeyedSingleton(name, static (provider, key) => Create(provider, (string)key!));
        services.AddKeyedSingleton<IReplicatedMap>(name, static (provider, key) => provider.GetRequiredKeyedService<ReplicatedMap>(key));
        return services.AddSingleton(provider => provider.GetRequiredKeyedService<ReplicatedMap>(name));
    }

    private static ReplicatedMap Create(IServiceProvider provider, string name) => new(
        name,
        provider.GetRequiredService<RedisConnection>(),
        provider.GetRequiredService<RedisKeys>(),
        provider.GetRequiredService<ReplicationOptions>(),
        provider.GetRequiredService<ReplicationMetrics>(),
        provider.GetRequiredService<TimeProvider>(),
        provider.GetRequiredService<ILogger<ReplicatedMap>>());
}

/// <summary>Starts the replicas of this process, all at once. Stops them after all services that were registered after them.</summary>
internal sealed class ReplicationService(IEnumerable<ReplicatedMap> maps, ILogger<ReplicationService> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.WhenAll(maps.Select(map => map.StartAsync(cancellationToken)));

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(maps.Select(async map =>
    {
        await map.StopAsync(cancellationToken).ConfigureAwait(false);
        if (map.Pending is > 0 and var unsent)
        {
            Log.ReplicaUnsent(logger, unsent, map.Name);
        }
    }));
}
