using Cluster.Contracts.Options;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Grains.Registry;

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
