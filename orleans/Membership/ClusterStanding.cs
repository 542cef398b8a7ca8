namespace Cluster.Runtime;

/// <summary>How this process stands with its cluster.</summary>
internal sealed class ClusterStanding(RedisConnection redis) : IClusterStanding
{
    private volatile string? _removal;

    public bool IsStoreReachable => redis.IsReachable;

    public string? Removal => _removal;

    public void Remove(string reason) => _removal ??= reason;
}
