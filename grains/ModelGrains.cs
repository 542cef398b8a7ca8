using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Options;
using Cluster.Grains.Cache;
using Cluster.Grains.Memory;
using Cluster.Grains.Metrics;
using Cluster.Grains.Models;
using Cluster.Grains.Objects;
using Cluster.Grains.OpenVino;
using Cluster.Grains.Placement;
using Cluster.Grains.Replicas;
using Cluster.Grains.Repository.Versions;
using Cluster.Grains.Scaling;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Loading;
using Cluster.Grains.Trust;
using Cluster.Grains.Workers;
using Cluster.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains;

/// <summary>Registers what the model grains need of their process, beside the actor runtime and the registry's replicas.</summary>
public static class ModelGrains
{
    /// <summary>The grain storage that model grains keep their state in.</summary>
    public const string StorageName = "models";

    /// <summary>
    /// Options and <see cref="ISiloStates"/> that were registered before take the place of those of the configuration.
    /// </summary>
    /// <param name="options">Validated; null leaves the defaults.</param>
    public static IServiceCollection AddModelGrains(this IServiceCollection services, InferenceOptions? options = null)
    {
        services.AddSingleton(options ?? new InferenceOptions());
        services.AddClusterOptions<ModelCacheOptions>();
        services.AddClusterOptions<ReplicaOptions>();
        services.AddClusterOptions<ScalingOptions>();
        services.AddSingleton<CacheMetrics>();
        services.AddSingleton<ReplicaCache>();
        services.TryAddSingleton<SiloDraining>();
        services.TryAddSingleton<IContentCheck, ContentCheck>();
        services.AddClusterOptions<ModelTrustOptions>();
        services.TryAddSingleton<OpenModelFile>(CheckedFile.Open);
        services.AddSingleton<VersionReader>();
        services.AddObjectStorage();
        services.AddSingleton<LocalReplicas>();
        services.AddSingleton<ILocalReplicas>(static provider => provider.GetRequiredService<LocalReplicas>());
        services.AddSingleton<ReplicaServices>();
        services.AddSingleton<ModelMetrics>();
        services.AddSingleton<ModelServices>();
        services.AddClusterOptions<MemoryOptions>();
        services.AddSingleton<MemoryMetrics>();
        services.AddSingleton(static provider =>
        {
            _ = provider.GetRequiredService<MemoryMetrics>();
            var environment = new OnnxEnvironment(
                provider.GetRequiredService<MemoryOptions>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<OnnxEnvironment>>(),
                provider.GetRequiredService<OpenVinoOptions>());
            provider.GetRequiredService<MetricRegistry>()
                .Gauge("cluster_runtime", "1, with the versions of ONNX Runtime and of OpenVINO; openvino is empty without it.", "onnxruntime", "openvino")
                .Acquire(environment.Version, environment.OpenVinoVersion ?? "").Increment();
            return environment;
        });
        services.TryAddSingleton<OpenVinoOptions>();
        services.AddSingleton<CompiledGraphs>();
        services.AddSingleton<SessionFactory>();
        services.AddSingleton<InferenceWorkers>();
        services.AddModelPlacement();
        return services.AddReplicaMetrics();
    }

    /// <summary>For a process that hosts no grain class of ours: it places grains that it calls first, and finds replicas and silos by their keys.</summary>
    public static IServiceCollection AddRemotePlacement(this IServiceCollection services)
    {
        services.TryAddSingleton(new PlacementRandom(new Random()));
        services.AddSingleton<SiloView>();
        services.AddSingleton<IKnownSilos, KnownSilos>();
        services.AddPlacementDirector<ControlPlacement, ControlPlacementDirector>();
        KeyDirectory.Add(services);
        return services;
    }

    private static void AddModelPlacement(this IServiceCollection services)
    {
        services.AddClusterOptions<PlacementOptions>();
        services.TryAddSingleton<ISiloStates, InMemorySiloStates>();
        services.TryAddSingleton(new PlacementRandom(new Random()));
        services.AddSingleton<SiloView>();
        services.AddSingleton<IKnownSilos, KnownSilos>();
        services.AddSingleton<PlacementRequests>();
        services.AddSingleton<ReplicaPlacer>();
        services.AddSingleton<PlacementMetrics>();
        KeyDirectory.Add(services);
        services.AddPlacementDirector<ControlPlacement, ControlPlacementDirector>();
    }
}
