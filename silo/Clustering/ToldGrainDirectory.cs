using Cluster.Grains.Replication;
using System.Collections.Concurrent;
using Orleans.GrainDirectory;

namespace Cluster.Silo.Clustering;

/// <summary>
/// The grain directory in Redis; says when an entry of this silo is gone, and puts this silo's entries back when the connection was lost: Redis may have lost them.
/// </summary>
internal sealed class ToldGrainDirectory : IGrainDirectory, ILifecycleParticipant<ISiloLifecycle>
{
    private const int Attempts = 30;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Orleans.GrainDirectory.Redis.RedisGrainDirectory _directory;
    private readonly DirectoryNews _news;
    private readonly ILocalSiloDetails _local;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<GrainId, GrainAddress> _own = new();

    public ToldGrainDirectory(
        Orleans.GrainDirectory.Redis.RedisGrainDirectory directory, DirectoryNews news, ILocalSiloDetails local, RedisConnection redis, TimeProvider time)
    {
        _directory = directory;
        _news = news;
        _local = local;
        _time = time;
        redis.Restored += () => _ = PutBackAsync();
    }

    public Task<GrainAddress?> Lookup(GrainId grainId) => _directory.Lookup(grainId);

    public Task<GrainAddress?> Register(GrainAddress address) => Register(address, null);

    public async Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress)
    {
        var registered = await _directory.Register(address, previousAddress).ConfigureAwait(false);
        if (registered is not null && Equals(registered.SiloAddress, _local.SiloAddress) && registered.ActivationId.Equals(address.ActivationId))
        {
            _own[address.GrainId] = registered;
        }

        return registered;
    }

    public async Task Unregister(GrainAddress address)
    {
        _own.TryRemove(address.GrainId, out _);
        await _directory.Unregister(address).ConfigureAwait(false);
        await _news.EndedAsync(address.GrainId).ConfigureAwait(false);
    }

    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => _directory.UnregisterSilos(siloAddresses);

    public void Participate(ISiloLifecycle lifecycle) => _directory.Participate(lifecycle);

    /// <summary>
    /// Where somebody else has registered the grain meanwhile, that stays: then there are two activations until one ends. Orleans' own connection to Redis may be back later
    /// than the one that tells of it.
    /// </summary>
    private async Task PutBackAsync()
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            try
            {
                foreach (var address in _own.Values)
                {
                    await _directory.Register(address, null).ConfigureAwait(false);
                }

                return;
            }
            catch (OrleansException)
            {
                await Task.Delay(Pause, _time).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                // This silo stops.
                return;
            }
        }
    }
}
