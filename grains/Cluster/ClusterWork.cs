using Cluster.Contracts.Options;
using Cluster.Grains.Aliases;
using Cluster.Grains.Repository;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Grains.Cluster;

/// <summary>Registers what a silo does for the cluster.</summary>
public static class ClusterWork
{
    /// <summary>
    /// Call it after <c>AddModelGrains</c> and Orleans: hosted services stop in the reverse order, and replicas move while everything else still works.
    /// </summary>
    public static IServiceCollection AddClusterWork(this IServiceCollection services)
    {
        services.AddClusterOptions<ClusterWorkOptions>();
        services.AddSingleton<ClusterMetrics>();
        services.AddHostedService<UtilizationReporter>();
        services.AddSingleton<ClusterCaretaker>();
        services.AddSingleton<ClusterFigures>();
        services.AddSingleton<PlacementAnswers>();
        services.AddSingleton<ControllerDuty>();
        services.AddTransient<SiloDrains>();
        services.TryAddSingleton<RepositoryStanding>();
        services.AddSingleton<IRepositoryAgreement, RepositoryAgreement>();
        services.AddHostedService<ControllerWatch>();
        services.AddHostedService<AliasTransitions>();
        services.AddSingleton<ReplicaMoves>();
        services.AddSingleton<AskedDrain>();
        services.AddHostedService(static provider => provider.GetRequiredService<AskedDrain>());
        services.AddHostedService<SiloDrain>();
        return services;
    }
}
