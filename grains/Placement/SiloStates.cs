using Cluster.Contracts.Nodes;
using Cluster.Contracts.Options;
using Cluster.Grains.Repository;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Grains.Placement;

/// <summary>Registers what silos know of each other's load.</summary>
public static class SiloStates
{
    /// <summary>For a cluster that is one process: the states in memory, and the hosted service that publishes this silo's.</summary>
    public static IServiceCollection AddSiloStates(this IServiceCollection services, SiloStateOptions options)
    {
        services.TryAddSingleton<ISiloStates, InMemorySiloStates>();
        services.TryAddSingleton<IRuntimeVersions, RuntimeVersions>();
        return services.AddSiloStatePublisher(options);
    }

    internal static IServiceCollection AddSiloStatePublisher(this IServiceCollection services, SiloStateOptions options)
    {
        services.AddSingleton(options);
        services.AddClusterOptions<PublishOptions>();
        services.TryAddSingleton<SiloDraining>();
        services.TryAddSingleton<RepositoryStanding>();
        return services.AddHostedService<SiloStatePublisher>();
    }
}
