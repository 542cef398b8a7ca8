using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Routing;

/// <summary>
/// Chooses the replica for a request: one of this process that has room, else the better of two random ones. That is the one with fewer of this gateway's requests in
/// flight. This is "the power of two choices" (Mitzenmacher, 2001). It is nearly as even as a look at all replicas, and sends no burst to the one that was idle last.
/// Takes no lock and no network, and allocates nothing.
/// </summary>
internal sealed class ReplicaChooser(ISiloHealth health, Random seed)
{
    private long _random = seed.NextInt64();

    /// <summary>
    /// A replica on a silo that can be reached; those that were tried already come last. Null: there is none.
    /// </summary>
    public ReplicaRoute? Choose(VersionRoute route, TriedReplicas tried)
    {
        var replicas = route.Replicas;
        foreach (var replica in replicas)
        {
            if (replica.HasRoomHere && !tried.Contains(replica))
            {
                return replica;
            }
        }

        if (replicas.Length == 1)
        {
            return health.IsReachable(replicas[0].Silo) ? replicas[0] : null;
        }

        return Lighter(replicas, tried, again: false) ?? Lighter(replicas, tried, again: true);
    }

    /// <summary>
    /// Whether no replica of the route will answer, so that the model is to load one. There is none, or each is where it is not loaded, or on a silo that is no
    /// member any more.
    /// </summary>
    /// <param name="moved">The replica that was found not to be loaded; null for none.</param>
    /// <param name="missing">One that was expected.</param>
    public bool IsToBeLoaded(VersionRoute route, ModelReplicaId? moved, out ModelReplicaId? missing)
    {
        missing = null;
        foreach (var replica in route.Replicas)
        {
            if (replica.Id != moved && !health.IsGone(replica.Silo))
            {
                return false;
            }

            missing = replica.Id;
        }

        return true;
    }

    /// <summary>Of two random ones among the replicas that can be reached, the lighter; null where there is none.</summary>
    private ReplicaRoute? Lighter(ReplicaRoute[] replicas, TriedReplicas tried, bool again)
    {
        var count = 0;
        foreach (var replica in replicas)
        {
            count += Fits(replica) ? 1 : 0;
        }

        if (count == 0)
        {
            return null;
        }

        var draw = Next();
        var one = (int)((uint)draw % (uint)count);
        var other = count == 1 ? one : (one + 1 + (int)((uint)(draw >> 32) % (uint)(count - 1))) % count;
        ReplicaRoute? first = null;
        ReplicaRoute? second = null;
        var index = 0;
        foreach (var replica in replicas)
        {
            // A silo may have come or gone since the count. The replicas found then are used.
            if (Fits(replica))
            {
                first = index == one || first is null ? replica : first;
                second = index == other || second is null ? replica : second;
                index++;
            }
        }

        return first is null || second is null || first.Load.InFlight <= second.Load.InFlight ? first : second;

        bool Fits(ReplicaRoute replica) => health.IsReachable(replica.Silo) && (again || !tried.Contains(replica));
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

/// <summary>The replicas that a request was sent to; room for as many as there can be before its last try.</summary>
internal struct TriedReplicas
{
    private ReplicaRoute? _first;
    private ReplicaRoute? _second;

    /// <summary>Adds a replica; one that does not fit takes the place of the latest.</summary>
    public void Add(ReplicaRoute replica)
    {
        if (_first is null)
        {
            _first = replica;
        }
        else
        {
            _second = replica;
        }
    }

    public readonly bool Contains(ReplicaRoute replica) => _first == replica || _second == replica;
}
