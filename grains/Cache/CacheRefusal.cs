namespace Cluster.Grains.Cache;

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
