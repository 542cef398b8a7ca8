using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.GrainDirectory;
using Orleans.GrainDirectory.Redis;
using Orleans.Runtime.GrainDirectory;
using Orleans.Runtime.Hosting;

namespace Cluster.Runtime;

/// <summary>Points Orleans' providers at the Redis of <see cref="RedisClusteringOptions"/>.</summary>
internal static class RedisBuilderExtensions
{
    public static void UseClusterRedis(this ISiloBuilder silo)
    {
        silo.UseRedisClustering(static _ => { });
        AddConnection(silo.Services);

        // The directory that each silo keeps a part of would forget, with a lost silo, copies that are in memory elsewhere.
        var services = silo.Services;
        services.AddSingleton<IGrainDirectoryCache, DirectoryCache>();
        services.AddSingleton<DirectoryNews>();
        services.AddHostedService(static provider => provider.GetRequiredService<DirectoryNews>());
        services.AddGrainDirectory(GrainDirectoryAttribute.DEFAULT_GRAIN_DIRECTORY, static (provider, _) => new ToldGrainDirectory(
            ActivatorUtilities.CreateInstance<RedisGrainDirectory>(
                provider,
                new RedisGrainDirectoryOptions { ConfigurationOptions = RedisConnection.ToConfiguration(provider.GetRequiredService<IOptions<RedisClusteringOptions>>().Value) }),
            provider.GetRequiredService<DirectoryNews>(),
            provider.GetRequiredService<ILocalSiloDetails>(),
            provider.GetRequiredService<RedisConnection>()));
    }

    public static void UseClusterRedis(this IClientBuilder client)
    {
        client.UseRedisClustering(static _ => { });
        AddConnection(client.Services);
    }

    private static void AddConnection(IServiceCollection services) =>
        services.AddOptions<Orleans.Clustering.Redis.RedisClusteringOptions>().Configure<IOptions<RedisClusteringOptions>>(
            static (orleans, ours) => orleans.ConfigurationOptions = RedisConnection.ToConfiguration(ours.Value));
}
