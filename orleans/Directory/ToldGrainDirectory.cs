using System.Collections.Concurrent;
using Orleans.GrainDirectory;

namespace Cluster.Runtime;

/// <summary>
/// The grain directory in Redis; says when an entry of this silo is gone, and puts this silo's entries back when the connection was lost: Redis may have lost them.
/// </summary>
internal sealed class ToldGrainDirectory : IGrainDirectory, ILifecycleParticipant<ISiloLifecycle>
{
    private readonly Orleans.GrainDirectory.Redis.RedisGrainDirectory _directory;
    private readonly DirectoryNews _news;
    private readonly ILocalSiloDetails _local;
    private readonly ConcurrentDictionary<GrainId, GrainAddress> _own = new();

    public ToldGrainDirectory(
        Orleans.GrainDirectory.Redis.RedisGrainDirectory directory, DirectoryNews news, ILocalSiloDetails local, RedisConnection redis)
    {
        _directory = directory;
        _news = news;
        _local = local;
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

    /// <summary>Where somebody else has registered the grain meanwhile, that stays: then there are two activations until one ends.</summary>
    private async Task PutBackAsync()
    {
        foreach (var address in _own.Values)
        {
            try
            {
                await _directory.Register(address, null).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is OrleansException or ObjectDisposedException)
            {
                // Redis is away again, or this silo stops: the next time it is back they are put back.
                return;
            }
        }
    }
}
