using System.Collections.Immutable;

namespace Cluster.Grains.Cache;

/// <summary>The cache's answer to a load that wants room.</summary>
internal abstract record CacheDecision
{
    private CacheDecision()
    {
    }

    /// <summary>The room is there: load.</summary>
    public sealed record Granted(CacheEntry Entry) : CacheDecision;

    /// <summary>The room will be there once unloads under way have finished; <see cref="CacheChange.Granted"/> tells.</summary>
    /// <param name="Evicted">Replicas that must be unloaded for it, beside those that are being unloaded already.</param>
    public sealed record Waits(CacheEntry Entry, ImmutableArray<CacheEntry> Evicted) : CacheDecision;

    /// <summary>There is no room, and none is made.</summary>
    /// <param name="Bytes">What the replica would need.</param>
    /// <param name="RetryAfter">When another try may go better; null: never, as things are.</param>
    /// <param name="Evicted">Replicas that must be unloaded all the same: part of the room was made when the rest came into use. Mostly none.</param>
    public sealed record Refused(CacheRefusal Reason, long Bytes, TimeSpan? RetryAfter, ImmutableArray<CacheEntry> Evicted) : CacheDecision;

    /// <summary>The replica is there already, or on its way.</summary>
    public sealed record Present(CacheEntry Entry) : CacheDecision;
}

/// <summary>What follows from a change of the cache, for the caller to carry out.</summary>
/// <param name="Granted">Loads that waited and have their room now.</param>
/// <param name="Evicted">Replicas that must be unloaded.</param>
/// <param name="Refused">Loads that waited and will not get their room.</param>
internal readonly record struct CacheChange(
    ImmutableArray<CacheEntry> Granted, ImmutableArray<CacheEntry> Evicted, ImmutableArray<CacheEntry> Refused)
{
    public static CacheChange None { get; } = new([], [], []);
}

/// <summary>Why a cache makes no room.</summary>
internal enum CacheRefusal
{
    /// <summary>The replica is larger than the whole cache.</summary>
    TooLarge,

    /// <summary>The longest unused replica was used too recently: loading more would only move models in and out.</summary>
    Churn,

    /// <summary>What is not running or loading does not take up enough.</summary>
    Busy,

    /// <summary>A load that may evict nothing would have to.</summary>
    Full,
}
