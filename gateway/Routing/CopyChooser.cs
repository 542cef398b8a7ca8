using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Routing;

/// <summary>
/// Chooses the copy for a request: the one with fewer of this gateway's requests in flight of two random ones, "the power of two choices" (Mitzenmacher,
/// 2001), which is nearly as even as asking all and does not send a burst to whoever was idle last. Takes no lock and no network, and allocates nothing.
/// </summary>
internal sealed class CopyChooser(ISiloHealth health, Random seed)
{
    private long _random = seed.NextInt64();

    /// <summary>
    /// A copy in memory on a silo that can be reached; else one that is nowhere in memory, which the request loads. Copies that were tried already come
    /// last. Null: every copy is on a silo that cannot be reached and may come back.
    /// </summary>
    public CopyRoute? Choose(VersionRoute route, TriedCopies tried)
    {
        var copies = route.Copies;
        if (copies.Length == 1)
        {
            return IsUsable(copies[0]) ? copies[0] : null;
        }

        return Lighter(copies, tried, again: false)
            ?? First(copies, tried)
            ?? Lighter(copies, tried, again: true)
            ?? First(copies, default);
    }

    /// <summary>Whether a call to the copy would answer from memory, as far as is known.</summary>
    public bool IsInMemory(CopyRoute copy) => copy.Silo is { } silo && health.IsReachable(silo);

    private bool IsUsable(CopyRoute copy) => copy.Silo is not { } silo || health.IsReachable(silo) || health.IsGone(silo);

    /// <summary>Of two random ones among the copies in memory, the lighter; null where there is none.</summary>
    private CopyRoute? Lighter(CopyRoute[] copies, TriedCopies tried, bool again)
    {
        var count = 0;
        foreach (var copy in copies)
        {
            count += Fits(copy) ? 1 : 0;
        }

        if (count == 0)
        {
            return null;
        }

        var draw = Next();
        var one = (int)((uint)draw % (uint)count);
        var other = count == 1 ? one : (one + 1 + (int)((uint)(draw >> 32) % (uint)(count - 1))) % count;
        CopyRoute? first = null;
        CopyRoute? second = null;
        var index = 0;
        foreach (var copy in copies)
        {
            // A silo may have come or gone since the count: whatever was found then is used.
            if (Fits(copy))
            {
                first = index == one || first is null ? copy : first;
                second = index == other || second is null ? copy : second;
                index++;
            }
        }

        return first is null || second is null || first.Load.InFlight <= second.Load.InFlight ? first : second;

        bool Fits(CopyRoute copy) => IsInMemory(copy) && (again || !tried.Contains(copy.Number));
    }

    private CopyRoute? First(CopyRoute[] copies, TriedCopies tried)
    {
        foreach (var copy in copies)
        {
            if (!tried.Contains(copy.Number) && IsUsable(copy))
            {
                return copy;
            }
        }

        return null;
    }

    /// <summary>Splitmix64 over a counter (Steele, Lea and Flood, 2014): random enough to choose by, from any thread, without a lock.</summary>
    private ulong Next()
    {
        var z = unchecked((ulong)Interlocked.Add(ref _random, unchecked((long)0x9E3779B97F4A7C15UL)));
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
