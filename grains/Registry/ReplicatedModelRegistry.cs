using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Options;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;
using Cluster.Grains.Registry.Replicas;
using Cluster.Grains.Replication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Registry;

/// <summary>
/// Registers the registry of a cluster of several processes: what <see cref="ModelRegistry"/> and the in-memory registrations and serving states are for one.
/// Everything is replicated through Redis. Call it before Orleans and every hosted service that reads it are added, so that replicas are complete
/// when those start.
/// </summary>
public static class ReplicatedModelRegistry
{
    private const string Registrations = "registrations";
    private const string ServingStates = "serving-states";
    private const string Aliases = "aliases";
    private const string SiloStates = "silo-states";

    /// <summary>For a silo: everything, and the hosted services that publish and sweep the silos' states.</summary>
    /// <param name="silo">What this silo says of itself.</param>
    public static IServiceCollection AddReplicatedModelRegistry(this IServiceCollection services, SiloStateOptions silo)
    {
        services.AddReplicatedServingStates();
        services.AddReplicatedMap(Registrations);
        services.AddSingleton<IRegistrations>(static provider => new ReplicatedRegistrations(
            provider.GetRequiredKeyedService<IReplicatedMap>(Registrations), provider.GetRequiredService<ILogger<ReplicatedRegistrations>>()));
        services.AddSiloStatePublisher(silo);
        services.AddClusterOptions<RegistryOptions>();
        services.AddSingleton<RegisteredModelReader>();
        return services.AddSingleton<IRegistryRestorer, RegistryRestorer>();
    }

    /// <summary>For a gateway: serving states, aliases and the silos' states. Needs nothing of ONNX Runtime.</summary>
    public static IServiceCollection AddReplicatedServingStates(this IServiceCollection services)
    {
        services.AddReplicatedMap(ServingStates);
        services.AddReplicatedMap(Aliases);
        services.AddReplicatedMap(SiloStates);
        services.AddSingleton(static provider => new ReplicatedSiloStates(
            provider.GetRequiredKeyedService<IReplicatedMap>(SiloStates),
            provider.GetRequiredService<IClusterMembershipService>(),
            provider.GetRequiredService<ILogger<ReplicatedSiloStates>>()));
        services.AddSingleton<ISiloStates>(static provider => provider.GetRequiredService<ReplicatedSiloStates>());
        services.AddSingleton<IRuntimeVersions, RuntimeVersions>();
        services.AddSingleton<IServingStates>(static provider => new ReplicatedServingStates(
            provider.GetRequiredKeyedService<IReplicatedMap>(ServingStates), provider.GetRequiredService<ILogger<ReplicatedServingStates>>()));
        return services.AddSingleton<IAliases>(static provider => new ReplicatedAliases(
            provider.GetRequiredKeyedService<IReplicatedMap>(Aliases), provider.GetRequiredService<ILogger<ReplicatedAliases>>()));
    }
}

/// <summary>Registers what the registry and the aliases need of their process, which is the whole cluster, beside the model grains.</summary>
public static class ModelRegistry
{
    public static IServiceCollection AddModelRegistry(this IServiceCollection services)
    {
        services.AddClusterOptions<RegistryOptions>();
        services.AddSingleton<RegisteredModelReader>();
        services.AddSingleton<IRegistryRestorer, RegistryRestorer>();
        services.AddSingleton<IAliases, InMemoryAliases>();
        return services.AddSingleton<ISiloHealth, LocalSiloHealth>();
    }
}
