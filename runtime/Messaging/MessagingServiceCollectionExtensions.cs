using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Registers the network of the actor runtime.</summary>
public static class MessagingServiceCollectionExtensions
{
    /// <summary>
    /// Connects this process with the silos of its cluster. Goes with <see cref="ActorRuntimeServiceCollectionExtensions.AddActorRuntime"/>
    /// in a silo, which then listens, or with <see cref="AddActorRuntimeClient"/>.
    /// </summary>
    public static IServiceCollection AddClusterMessaging(this IServiceCollection services, Action<MessagingOptions>? configure = null)
    {
        services.AddOptions<MessagingOptions>().ValidateOnStart();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        if (services.Any(static service => service.ServiceType == typeof(PeerConnections)))
        {
            return services;
        }

        services.AddSingleton<IValidateOptions<MessagingOptions>, MessagingOptionsValidator>();
        services.AddSingleton<MessagingMetrics>();
        services.AddSingleton<PeerConnections>();
        services.AddSingleton<IMessageTransport>(static provider => provider.GetRequiredService<PeerConnections>());
        services.AddSingleton<ISiloProber>(static provider => provider.GetRequiredService<PeerConnections>());
        services.AddSingleton<IHostedService, MessagingService>();
        return services;
    }

    /// <summary>
    /// Adds a process that calls grains and hosts none: no silo of the membership, which it only watches. Directory and membership come
    /// from <see cref="RedisServiceCollectionExtensions.UseRedisClustering"/>, the connections from <see cref="AddClusterMessaging"/>;
    /// both are called before. Application parts and placement directors are not needed: a silo places what is active nowhere.
    /// </summary>
    /// <exception cref="InvalidOperationException">Directory, membership or transport are not registered.</exception>
    public static IServiceCollection AddActorRuntimeClient(this IServiceCollection services, Action<ActorRuntimeOptions>? configure = null)
    {
        foreach (var needed in (Type[])[typeof(IGrainDirectory), typeof(IClusterMembershipService), typeof(IMessageTransport)])
        {
            if (services.All(service => service.ServiceType != needed))
            {
                throw new InvalidOperationException(
                    $"a client needs an {needed.Name} of the cluster: call UseRedisClustering and AddClusterMessaging before AddActorRuntimeClient");
            }
        }

        services.Configure<ClusterMembershipOptions>(static options => options.ObserveOnly = true);
        services.Replace(ServiceDescriptor.Singleton<ILocalSiloDetails, ClientDetails>());
        return services.AddActorRuntime(configure);
    }
}
