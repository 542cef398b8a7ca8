using System.ComponentModel.DataAnnotations;
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

/// <summary>How the replicas of a process are kept up to date.</summary>
[Section("Replication")]
public sealed class ReplicationOptions : IValidatableObject
{
    /// <summary>
    /// How often a process asks for missed changes, and how soon at the latest it puts back what Redis has lost. 10 ms to 1 h. Default 5 s. Shorter asks more often.
    /// Longer is out of date longer after a lost message.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")]
    public TimeSpan CatchUpInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How soon an operation without an answer of Redis is tried again: 1 ms to 1 min. Default 100 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan RetryInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a removal is remembered: up to a year, and at least twice <see cref="CatchUpInterval"/>. Default 1 h. With a shorter time a process that was cut off
    /// for longer can bring back what was removed meanwhile. Longer keeps more keys.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.02", "365.00:00:00")]
    public TimeSpan RemovalExpiration { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How long the start waits for a complete replica before it fails: 10 ms to 1 h. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")]
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the stop waits for entries that are not published yet: 10 ms to 1 h. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")]
    public TimeSpan StopTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (RemovalExpiration < 2 * CatchUpInterval)
        {
            yield return new ValidationResult("at least twice CatchUpInterval", [nameof(RemovalExpiration)]);
        }
    }
}
