using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Cluster.Runtime;

/// <summary>Points Orleans' providers at the Redis of <see cref="RedisClusteringOptions"/>.</summary>
internal static class RedisBuilderExtensions
{
    public static void UseClusterRedis(this ISiloBuilder silo)
    {
        silo.UseRedisClustering(static _ => { });
        AddConnection(silo.Services);

        // The directory that each silo keeps a part of would forget, with a lost silo, copies that are in memory elsewhere.
        silo.UseRedisGrainDirectoryAsDefault(static (OptionsBuilder<RedisGrainDirectoryOptions> directory) =>
            directory.Configure<IOptions<RedisClusteringOptions>>(static (orleans, ours) => orleans.ConfigurationOptions = RedisConnection.ToConfiguration(ours.Value)));
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
