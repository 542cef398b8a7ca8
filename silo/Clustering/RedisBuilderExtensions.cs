using Cluster.Grains.Replication;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.GrainDirectory;
using Orleans.GrainDirectory.Redis;
using Orleans.Runtime.GrainDirectory;
using Orleans.Runtime.Hosting;
using StackExchange.Redis;

namespace Cluster.Silo.Clustering;

/// <summary>Gives Orleans' providers the process' connection to Redis.</summary>
internal static class RedisBuilderExtensions
{
    public static void UseClusterRedis(this ISiloBuilder silo)
    {
        silo.AddClusterMembership();

        // The directory that each silo keeps a part of would forget, with a lost silo, copies that are in memory elsewhere.
        var services = silo.Services;
        services.AddSingleton<IGrainDirectoryCache, DirectoryCache>();
        services.AddSingleton<DirectoryNews>();
        services.AddHostedService(static provider => provider.GetRequiredService<DirectoryNews>());
        services.AddGrainDirectory(GrainDirectoryAttribute.DEFAULT_GRAIN_DIRECTORY, static (provider, _) => new ToldGrainDirectory(
            ActivatorUtilities.CreateInstance<RedisGrainDirectory>(
                provider,
                new RedisGrainDirectoryOptions { ConfigurationOptions = new ConfigurationOptions(), CreateMultiplexer = _ => SharedAsync(provider.GetRequiredService<Func<Task<IConnectionMultiplexer>>>()) }),
            provider.GetRequiredService<DirectoryNews>(),
            provider.GetRequiredService<ILocalSiloDetails>(),
            provider.GetRequiredService<RedisConnection>(),
            provider.GetRequiredService<TimeProvider>()));
    }

    /// <summary>The process' connection, which Orleans leaves open.</summary>
    private static async Task<(IConnectionMultiplexer Multiplexer, bool IsShared)> SharedAsync(Func<Task<IConnectionMultiplexer>> connect) =>
        (await connect().ConfigureAwait(false), true);
}
