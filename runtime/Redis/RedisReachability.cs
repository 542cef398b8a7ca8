namespace Cluster.Runtime;

/// <summary>Whether the last operation on Redis was answered, and since when that has been so.</summary>
internal sealed record RedisReachability(bool IsReachable, DateTimeOffset Since);
