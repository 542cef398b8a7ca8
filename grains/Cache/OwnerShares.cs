using Cluster.Contracts.Models;

namespace Cluster.Grains.Cache;

/// <summary>
/// Which owners of models have more of a silo's memory than their share. The capacity is divided by weight between all that have models here or a load that waits. What clients did not register has one owner
/// together. Of one moment.
/// </summary>
internal sealed class OwnerShares
{
    private readonly Dictionary<int, Account> _accounts = [];
    private readonly long _capacity;
    private long _weights;

    /// <param name="entries">All of the cache.</param>
    public OwnerShares(IEnumerable<CacheEntry> entries, long capacity)
    {
        _capacity = capacity;
        foreach (var entry in entries.Where(static entry => entry.State is CacheEntryState.Waiting or CacheEntryState.Loading or CacheEntryState.Resident))
        {
            Add(entry.Owner, entry.Bytes);
        }
    }

    /// <summary>Counts a load too.</summary>
    public void Add(CallerShare owner, long bytes)
    {
        var known = _accounts.GetValueOrDefault(owner.Key);

        // A client's models may have been registered under several weights. Until a request carries the one in force, the largest is the kindest.
        var weight = Math.Max(known.Weight, owner.ValidWeight());
        _weights += weight - known.Weight;
        _accounts[owner.Key] = new Account(known.Bytes + bytes, weight);
    }

    /// <summary>Counts a replica no more: it is to go.</summary>
    public void Remove(CacheEntry entry) => _accounts[entry.Owner.Key] = _accounts[entry.Owner.Key] with { Bytes = _accounts[entry.Owner.Key].Bytes - entry.Bytes };

    public bool IsAbove(CallerShare owner) =>
        _accounts[owner.Key] is var account && (Int128)account.Bytes * _weights > (Int128)_capacity * account.Weight;

    private readonly record struct Account(long Bytes, int Weight);
}
