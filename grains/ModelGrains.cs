using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;
using Cluster.Grains.Workers;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Grains;

/// <summary>Registers what the model grains need of their process, beside the actor runtime and the registry's replicas.</summary>
public static class ModelGrains
{
    /// <summary>The grain storage that model grains keep their state in.</summary>
    public const string StorageName = "models";

    /// <param name="options">Validated.</param>
    /// <param name="cache">Validated; null for a cache without limit.</param>
    public static IServiceCollection AddModelGrains(this IServiceCollection services, InferenceOptions options, ModelCacheOptions? cache = null)
    {
        services.AddSingleton(options);
        services.AddSingleton(cache ?? new ModelCacheOptions());
        services.AddSingleton<CacheMetrics>();
        services.AddSingleton<CopyCache>();
        services.AddSingleton<OnnxEnvironment>();
        services.AddSingleton<SessionFactory>();
        services.AddSingleton<InferenceWorkers>();
        return services.AddCopyMetrics();
    }
}
