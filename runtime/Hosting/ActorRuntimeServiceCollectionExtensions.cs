using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>Registers the actor runtime.</summary>
public static class ActorRuntimeServiceCollectionExtensions
{
    /// <summary>
    /// Adds a silo to this process. Directory, membership and clock are taken from the services if they are registered before,
    /// else they are those of a cluster of one.
    /// </summary>
    public static IServiceCollection AddActorRuntime(this IServiceCollection services, Action<ActorRuntimeOptions>? configure = null)
    {
        services.AddOptions<ActorRuntimeOptions>().ValidateOnStart();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        if (services.Any(static service => service.ServiceType == typeof(ActorRuntime)))
        {
            return services;
        }

        services.AddLogging();
        services.AddMetrics();
        services.AddSingleton<IValidateOptions<ActorRuntimeOptions>, ActorRuntimeOptionsValidator>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IGrainDirectory, InMemoryGrainDirectory>();
        services.TryAddSingleton<IClusterMembershipService, SingleSiloMembershipService>();
        services.TryAddSingleton<ILocalSiloDetails, LocalSiloDetails>();
        services.AddSingleton(static provider =>
        {
            var options = provider.GetRequiredService<IOptions<ActorRuntimeOptions>>().Value;
            return new GrainManifest(provider.GetRequiredService<ILocalSiloDetails>() is ClientDetails ? [] : options.ApplicationParts, options.CollectionAge);
        });
        services.AddSingleton<RuntimeMetrics>();
        services.AddSingleton<PlacementService>();
        services.AddSingleton<GrainLocator>();
        services.AddSingleton<ActorRuntime>();
        services.TryAddSingleton<IGrainLocations, GrainLocations>();
        services.AddSingleton<IGrainFactory>(static provider => provider.GetRequiredService<ActorRuntime>());
        services.AddScoped<GrainContextHolder>();
        services.AddScoped(static provider => provider.GetRequiredService<GrainContextHolder>().Context
            ?? throw new InvalidOperationException("only grains and what they are constructed with can have an IGrainContext"));
        services.TryAddKeyedSingleton(RandomPlacementDirector.RandomKey, static (_, _) => new Random());
        services.AddPlacementDirector<RandomPlacement, RandomPlacementDirector>();
        services.AddPlacementDirector<PreferLocalPlacement, PreferLocalPlacementDirector>();
        services.AddSingleton<IHostedService, ActorRuntimeService>();
        return services;
    }

    /// <summary>Sets the director of a placement strategy.</summary>
    public static void AddPlacementDirector<TStrategy, TDirector>(this IServiceCollection services)
        where TStrategy : PlacementStrategy
        where TDirector : class, IPlacementDirector => services.AddKeyedSingleton<IPlacementDirector, TDirector>(typeof(TStrategy));

    /// <summary>Adds a grain storage in memory under a name.</summary>
    public static IServiceCollection AddMemoryGrainStorage(this IServiceCollection services, string name) =>
        services.AddKeyedSingleton<IGrainStorage, MemoryGrainStorage>(name);
}
