using StackExchange.Redis;

namespace Cluster.Grains.Replication;

/// <summary>The keys of one cluster. The braces keep them on one node of a Redis Cluster, so that a script can use several.</summary>
internal sealed class RedisKeys(string clusterId)
{
    private readonly string _prefix = $"cluster:{{{clusterId}}}:";

    /// <summary>Says what changed in a replicated map.</summary>
    public string MapChannel(string map) => $"{_prefix}map/{map}/changed";

    /// <summary>The keys of a replicated map, as <see cref="ReplicaScripts"/> wants them.</summary>
    public RedisKey[] Map(string map)
    {
        var prefix = $"{_prefix}map/{map}/";
        return [prefix + "header", prefix + "sequences", prefix + "contents", prefix + "changes", prefix + "removals"];
    }
}
