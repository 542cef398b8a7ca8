using Cluster.Grains.Replication;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime.GrainDirectory;

namespace Cluster.Silo.Clustering;

/// <summary>Has every silo forget where a grain was when it ends. News that got lost cost what an old entry costs: the grain is activated where it was.</summary>
internal sealed class DirectoryNews(RedisConnection redis, RedisKeys keys, IGrainDirectoryCache cache, TimeProvider time) : BackgroundService
{
    private const string Script = "return {redis.call('publish', ARGV[1], ARGV[2])}";
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly string _channel = keys.MapChannel("directory");

    /// <summary>Tells all of the end; does nothing while Redis is away.</summary>
    public async ValueTask EndedAsync(GrainId grain) => await redis.EvaluateAsync(Script, [], [_channel, grain.ToString()]).ConfigureAwait(false);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!await redis.TrySubscribeAsync(_channel, Forget, stoppingToken).ConfigureAwait(false))
        {
            await Task.Delay(Retry, time, stoppingToken).ConfigureAwait(false);
        }
    }

    private void Forget(byte[] grain) => cache.Remove(GrainId.Parse(System.Text.Encoding.UTF8.GetString(grain)));
}
