using System.Collections.Concurrent;

namespace Cluster.Runtime;

/// <summary>
/// Finds the silo of a grain that is not active here: from the cache, from the directory, or by placing it. The cache holds
/// other silos only; this silo's own table answers for itself.
/// </summary>
internal sealed class GrainLocator(
    IGrainDirectory directory, PlacementService placement, IClusterMembershipService membership, ILocalSiloDetails local)
{
    private readonly ConcurrentDictionary<GrainId, GrainAddress> _remote = new();

    /// <exception cref="SiloUnavailableException">No silo can take the grain.</exception>
    public async ValueTask<SiloAddress> LocateAsync(GrainId id)
    {
        if (FindKnown(id) is { } known)
        {
            return known;
        }

        var found = await directory.Lookup(id).ConfigureAwait(false);
        if (found is not null && IsUsable(found))
        {
            Learn(found);
            return found.SiloAddress!;
        }

        _remote.TryRemove(id, out _);
        return await PlaceAsync(id).ConfigureAwait(false);
    }

    /// <summary>Chooses the silo of a grain that is active nowhere.</summary>
    /// <exception cref="SiloUnavailableException">No silo can take the grain.</exception>
    public Task<SiloAddress> PlaceAsync(GrainId id) => placement.PlaceAsync(id);

    /// <summary>Remembers where a grain is.</summary>
    public void Learn(GrainAddress address)
    {
        if (address.SiloAddress is { } silo && silo != local.SiloAddress)
        {
            _remote[address.GrainId] = address;
        }
    }

    /// <summary>The silo of a grain as far as this process has learned it, unless it is dead.</summary>
    public SiloAddress? FindKnown(GrainId id) => _remote.TryGetValue(id, out var known) && IsUsable(known) ? known.SiloAddress : null;

    /// <summary>Remembers that a grain has answered from a silo, unless an address is known.</summary>
    public void LearnIfUnknown(GrainId id, SiloAddress silo)
    {
        if (!_remote.ContainsKey(id))
        {
            _remote.TryAdd(id, new GrainAddress { GrainId = id, SiloAddress = silo });
        }
    }

    /// <summary>Forgets an address that turned out wrong.</summary>
    public void Forget(GrainAddress address) => _remote.TryRemove(KeyValuePair.Create(address.GrainId, address));

    /// <summary>Forgets that a grain is on that silo.</summary>
    public void Forget(GrainId id, SiloAddress silo)
    {
        if (_remote.TryGetValue(id, out var known) && known.SiloAddress == silo)
        {
            Forget(known);
        }
    }

    /// <summary>Forgets every address on silos that are dead, or no longer listed.</summary>
    public void ForgetDead()
    {
        var snapshot = membership.CurrentSnapshot;
        foreach (var entry in _remote)
        {
            if (snapshot.GetSiloStatus(entry.Value.SiloAddress!) is SiloStatus.Dead or SiloStatus.None)
            {
                _remote.TryRemove(entry);
            }
        }
    }

    private bool IsUsable(GrainAddress address) =>
        address.SiloAddress is { } silo && membership.CurrentSnapshot.GetSiloStatus(silo) != SiloStatus.Dead;
}
