using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Registers Microsoft Orleans under the names that the embedded runtime has, so that whoever composes a process names neither.</summary>
public static class ActorRuntimeServiceCollectionExtensions
{
    /// <summary>Adds a silo to this process: one of many if <c>UseRedisClustering</c> was called before, else a cluster of one, in memory.</summary>
    public static IServiceCollection AddActorRuntime(this IServiceCollection services, Action<ActorRuntimeOptions>? configure = null)
    {
        services.AddRuntimeOptions(configure);
        var clustered = services.IsClustered();
        services.TryAddSingleton<IFatalErrorHandler, RemovalHandler>();
        services.TryAddSingleton<IGrainLocations, MembershipLocations>();
        if (clustered)
        {
            services.AddHostedService<LostClusterCleaner>();
        }

        services.AddOrleans(silo =>
        {
            silo.AddSiloDefaults();
            if (clustered)
            {
                silo.UseClusterRedis();
            }
            else
            {
                silo.UseDevelopmentClustering(primarySiloEndpoint: null!);
            }

            silo.AddOutgoingGrainCallFilter<RejectionFilter>();
        });
        services.AddSingleton(provider => new SiloEndpoints(
            provider.GetRequiredService<IOptions<ActorRuntimeOptions>>().Value, provider.GetRequiredService<IOptions<MessagingOptions>>().Value, alone: !clustered));
        if (clustered)
        {
            services.AddReplicatedMap(MembershipDocument.MapName);
            services.AddHostedService<MembershipPublisher>();
        }

        return services;
    }

    /// <summary>
    /// Adds a process that calls grains and hosts none. It connects to the silos' gateways; what it knows of the membership, the silos publish in a
    /// replicated map. Call <c>UseRedisClustering</c> before; without it, who calls says where the gateways are, by <c>AddOrleansClient</c>.
    /// </summary>
    public static IServiceCollection AddActorRuntimeClient(this IServiceCollection services, Action<ActorRuntimeOptions>? configure = null)
    {
        services.AddRuntimeOptions(configure);
        services.TryAddSingleton<IGrainLocations, MembershipLocations>();
        services.AddSingleton<LostCalls>();
        var clustered = services.IsClustered();
        if (clustered)
        {
            services.AddReplicatedMap(MembershipDocument.MapName);
            services.AddSingleton<ReplicatedMembership>();
            services.AddSingleton<IClusterMembershipService>(static provider => provider.GetRequiredService<ReplicatedMembership>());
            services.AddHostedService(static provider => provider.GetRequiredService<ReplicatedMembership>());
            services.AddSingleton<ClosedSilos>();
            services.AddHostedService(static provider => provider.GetRequiredService<ClosedSilos>());
        }

        var others = services.Where(IsHosted).ToList();
        services.AddOrleansClient(client =>
        {
            client.AddClientDefaults();
            if (clustered)
            {
                client.UseClusterRedis();
            }

            client.Services.AddSingleton<IOutgoingGrainCallFilter, RejectionFilter>();
            client.Services.AddSingleton<IOutgoingGrainCallFilter>(static provider => provider.GetRequiredService<LostCalls>());
            client.AddGatewayCountChangedHandler(static provider =>
            {
                var calls = provider.GetRequiredService<LostCalls>();
                var closed = provider.GetService<ClosedSilos>();
                return (_, change) =>
                {
                    if (change.NumberOfConnectedGateways < change.PreviousNumberOfConnectedGateways)
                    {
                        closed?.Look();
                        calls.Fail();
                    }
                };
            });
        });

        // Only a client that is connected can make references to grains: it starts before all that does, such as what listens to replicated maps.
        foreach (var own in services.Where(IsHosted).Except(others).Reverse().ToList())
        {
            services.Remove(own);
            services.Insert(0, own);
        }

        return services;
    }

    /// <summary>Adds a grain storage in memory under a name.</summary>
    public static IServiceCollection AddMemoryGrainStorage(this IServiceCollection services, string name) =>
        services.AddKeyedSingleton<IGrainStorage, MemoryGrainStorage>(name);

    private static bool IsHosted(ServiceDescriptor service) => service.ServiceType == typeof(IHostedService);

    private static bool IsClustered(this IServiceCollection services) => services.Any(static service => service.ServiceType == typeof(RedisConnection));

    private static void AddRuntimeOptions(this IServiceCollection services, Action<ActorRuntimeOptions>? configure)
    {
        services.AddOptions<ActorRuntimeOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ActorRuntimeOptions>, ActorRuntimeOptionsValidator>());
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddSingleton(TimeProvider.System);
    }
}
