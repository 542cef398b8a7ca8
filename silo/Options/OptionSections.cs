using Cluster.Contracts.Options;
using Cluster.Gateway.Console;
using Cluster.Gateway.Hosting;
using Cluster.Gateway.Rest;
using Cluster.Gateway.Security;
using Cluster.Gateway.Security.Audit;
using Cluster.Gateway.Traffic;
using Cluster.Grains.Cache;
using Cluster.Grains.Cluster;
using Cluster.Grains.Memory;
using Cluster.Grains.Models;
using Cluster.Grains.Objects;
using Cluster.Grains.Placement;
using Cluster.Grains.Registry;
using Cluster.Grains.Replication;
using Cluster.Grains.Scaling;
using Cluster.Grains.Sessions.Loading;
using Cluster.Grains.Trust;
using Cluster.Metrics;
using Cluster.Silo.Clustering;
using Cluster.Silo.Dashboard;
using Cluster.Silo.Tracing;
using Cluster.Silo.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Cluster.Silo.Options;

/// <summary>Every section of the configuration, whichever role a process has: processes of all roles may share one file.</summary>
internal static class OptionSections
{
    /// <summary>The options classes, in the order of the documentation.</summary>
    public static IReadOnlyList<Type> Types { get; } =
        [.. new ServiceCollection().AddOptionSections()
            .Select(static service => service.ServiceType)
            .Where(static type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IValidateOptions<>))
            .Select(static type => type.GenericTypeArguments[0])];

    public static IServiceCollection AddOptionSections(this IServiceCollection services)
    {
        services.AddClusterOptions<ServeOptions>();
        services.AddClusterOptions<RedisOptions>();
        services.AddClusterOptions<TransportOptions>();
        services.AddClusterOptions<RestOptions>();
        services.AddClusterOptions<LimitOptions>();
        services.AddClusterOptions<TrafficOptions>();
        services.AddClusterOptions<ConsoleOptions>();
        services.AddClusterOptions<AccessOptions>();
        services.AddClusterOptions<TokenOptions>();
        services.AddClusterOptions<AuditOptions>();
        services.AddClusterOptions<ModelCacheOptions>();
        services.AddClusterOptions<ModelTrustOptions>();
        services.AddClusterOptions<ObjectStorageOptions>();
        services.AddClusterOptions<MemoryOptions>();
        services.AddClusterOptions<GraphCacheOptions>();
        services.AddClusterOptions<ReplicaOptions>();
        services.AddClusterOptions<ScalingOptions>();
        services.AddClusterOptions<PlacementOptions>();
        services.AddClusterOptions<PublishOptions>();
        services.AddClusterOptions<ClusterWorkOptions>();
        services.AddClusterOptions<RegistryOptions>();
        services.AddClusterOptions<ReplicationOptions>();
        services.AddClusterOptions<PrometheusOptions>();
        services.AddClusterOptions<TracingOptions>();
        services.AddClusterOptions<DashboardOptions>();
        return services;
    }
}
