using System.ComponentModel.DataAnnotations;
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

/// <summary>Models that clients register, and their aliases.</summary>
[Section("Registry")]
public sealed class RegistryOptions
{
    /// <summary>The folder that registered paths are relative to and cannot leave; null, the default, where clients may register nothing.</summary>
    [SetBy("Cluster:RegisteredModels")]
    public string? Root { get; set; }

    /// <summary>
    /// Time between two tries to load a failed target of an alias, at least a second. Default 5 minutes. Shorter notices sooner that its files were mended, longer
    /// spends less on loads that fail.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RetryFailedTarget { get; set; } = TimeSpan.FromMinutes(5);
}

/// <summary>The health of a cluster that is one process.</summary>
public sealed class LocalSiloHealth(ILocalSiloDetails local) : ISiloHealth
{
    /// <inheritdoc/>
    public event Action? Changed
    {
        add => _ = value;
        remove => _ = value;
    }

    /// <inheritdoc/>
    public bool IsAlone => true;

    /// <inheritdoc/>
    public bool IsStoreReachable => true;

    /// <inheritdoc/>
    public IEnumerable<SiloAddress> Silos => [local.SiloAddress];

    /// <inheritdoc/>
    public bool IsReachable(SiloAddress silo) => true;

    /// <inheritdoc/>
    public bool IsGone(SiloAddress silo) => false;
}

/// <summary>Event ids 2140 to 2149.</summary>
internal static partial class Log
{
    [LoggerMessage(2140, LogLevel.Information, "Registered {Model}: type {Type}, path {Path}")]
    public static partial void Registered(ILogger logger, string model, string type, string path);

    [LoggerMessage(2141, LogLevel.Information, "Unregistered {Model}: {Reason}")]
    public static partial void Unregistered(ILogger logger, string model, string reason);

    [LoggerMessage(2142, LogLevel.Warning, "Could not serve {Model} as it was registered: {Reason}")]
    public static partial void HandOverFailed(ILogger logger, string model, string reason);

    [LoggerMessage(2143, LogLevel.Error, "Shard {Shard} of the model registry was not restored")]
    public static partial void RestoreFailed(ILogger logger, Exception exception, string shard);

    [LoggerMessage(2144, LogLevel.Error, "Could not read entry {Key} of map {Map}, which counts as missing")]
    public static partial void UnreadableEntry(ILogger logger, Exception exception, string key, string map);
}
