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
        if (_remote.TryGetValue(id, out var known) && IsUsable(known))
        {
            return known.SiloAddress!;
        }

        var found = await directory.Lookup(id).ConfigureAwait(false);
        if (found is not null && IsUsable(found))
        {
            Learn(found);
            return found.SiloAddress!;
        }

        _remote.TryRemove(id, out _);
        return await placement.PlaceAsync(id).ConfigureAwait(false);
    }

    /// <summary>Remembers where a grain is.</summary>
    public void Learn(GrainAddress address)
    {
        if (address.SiloAddress is { } silo && silo != local.SiloAddress)
        {
            _remote[address.GrainId] = address;
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
