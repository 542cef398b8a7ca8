using Cluster.Contracts.Models;

namespace Cluster.Grains.Cache;

/// <summary>
/// Chooses which replicas go where room is lacking. First come those of owners with more than their share of the memory, and any that were unused for longer than a share keeps them. Then come the others.
/// The longest unused first in both, those in use never.
/// </summary>
internal static class Victims
{
    /// <summary>Replicas that are worth at least <paramref name="bytes"/> together, as far as there are such.</summary>
    /// <param name="entries">All of the cache.</param>
    /// <param name="shares">With the load that lacks room; what is chosen is taken out of them.</param>
    /// <param name="keepsSince">Timestamp: what was not used since then is kept by no share.</param>
    public static List<CacheEntry> Choose(IEnumerable<CacheEntry> entries, OwnerShares shares, long bytes, long keepsSince)
    {
        var victims = new List<CacheEntry>();
        var spared = new List<CacheEntry>();

        // A scan of everything: thousands of entries take microseconds, an unload milliseconds, and uses stay free of any order to keep.
        var candidates = entries.Where(static entry => entry is { State: CacheEntryState.Resident, IsPinned: false });
        foreach (var entry in candidates.OrderBy(static entry => entry.LastUsed).ThenBy(static entry => entry.Epoch).TakeWhile(_ => bytes > 0))
        {
            // An owner that is not above its share now will not be: others' going changes nothing of its own.
            if (entry.LastUsed >= keepsSince && !shares.IsAbove(entry.Owner))
            {
                spared.Add(entry);
                continue;
            }

            Take(entry);
        }

        foreach (var entry in spared.TakeWhile(_ => bytes > 0))
        {
            Take(entry);
        }

        return victims;

        void Take(CacheEntry entry)
        {
            victims.Add(entry);
            shares.Remove(entry);
            bytes -= entry.Bytes;
        }
    }

    /// <summary>Whether a load may take the room of a replica that was used a moment ago. It may where it stays within its owner's share, and the replica's owner is above its own.</summary>
    /// <param name="shares">With the load, before anything was chosen.</param>
    public static bool IsOwed(OwnerShares shares, CallerShare owner, CallerShare of) => !shares.IsAbove(owner) && shares.IsAbove(of);
}
