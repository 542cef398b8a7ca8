using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Models;
using Cluster.Grains.Placement;
using Cluster.Grains.Scaling;
using Cluster.Grains.Sessions;
using Cluster.Grains.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Grains;

/// <summary>Registers what the model grains need of their process, beside the actor runtime and the registry's replicas.</summary>
public static class ModelGrains
{
    /// <summary>The grain storage that model grains keep their state in.</summary>
    public const string StorageName = "models";

    /// <summary>
    /// <see cref="CopyOptions"/>, <see cref="ScalingOptions"/>, <see cref="PlacementOptions"/> and <see cref="ISiloStates"/> that were registered before take
    /// the place of the defaults.
    /// </summary>
    /// <param name="options">Validated.</param>
    /// <param name="cache">Validated; null for a cache without limit.</param>
    public static IServiceCollection AddModelGrains(this IServiceCollection services, InferenceOptions options, ModelCacheOptions? cache = null)
    {
        services.AddSingleton(options);
        services.AddSingleton(cache ?? new ModelCacheOptions());
        services.TryAddSingleton(new CopyOptions());
        services.TryAddSingleton(new ScalingOptions());
        services.AddSingleton<CacheMetrics>();
        services.AddSingleton<CopyCache>();
        services.TryAddSingleton<SiloDraining>();
        services.AddSingleton<LocalCopies>();
        services.AddSingleton<ModelMetrics>();
        services.AddSingleton<ModelServices>();
        services.AddSingleton<OnnxEnvironment>();
        services.AddSingleton<SessionFactory>();
        services.AddSingleton<InferenceWorkers>();
        services.AddModelPlacement();
        return services.AddCopyMetrics();
    }

    private static void AddModelPlacement(this IServiceCollection services)
    {
        services.TryAddSingleton(new PlacementOptions());
        services.TryAddSingleton<ISiloStates, InMemorySiloStates>();
        services.TryAddSingleton(new PlacementRandom(new Random()));
        services.AddSingleton<SiloView>();
        services.AddSingleton<PlacementRequests>();
        services.AddSingleton<RecentPlacements>();
        services.AddSingleton<PlacementMetrics>();
        services.AddPlacementDirector<ModelPlacement, ModelPlacementDirector>();
        services.AddPlacementDirector<ControlPlacement, ControlPlacementDirector>();
    }
}
