using Microsoft.Extensions.DependencyInjection;
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
        services.AddSingleton<IProbeService>(static provider => provider.GetRequiredService<PeerConnections>());
        services.AddSingleton<IHostedService, MessagingService>();
        return services;
    }

    /// <summary>
    /// Adds a process that calls grains and hosts none. Directory and membership of the cluster must be registered before;
    /// <see cref="AddClusterMessaging"/> connects it.
    /// </summary>
    /// <exception cref="InvalidOperationException">They are not.</exception>
    public static IServiceCollection AddActorRuntimeClient(this IServiceCollection services, Action<ActorRuntimeOptions>? configure = null)
    {
        foreach (var needed in (Type[])[typeof(IGrainDirectory), typeof(IClusterMembershipService)])
        {
            if (services.All(service => service.ServiceType != needed))
            {
                throw new InvalidOperationException($"a client needs an {needed.Name} of the cluster; register it before");
            }
        }

        services.AddSingleton<ILocalSiloDetails, ClientDetails>();
        return services.AddActorRuntime(configure);
    }
}
