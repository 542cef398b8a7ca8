using StackExchange.Redis;

namespace Cluster.Runtime;

/// <summary>The keys of one cluster. The braces keep them on one node of a Redis Cluster, so that a script can use several.</summary>
internal sealed class RedisKeys(string clusterId)
{
    private readonly string _prefix = $"cluster:{{{clusterId}}}:";

    /// <summary>Hash: <c>version</c>, <c>incarnation</c>, <c>unsettled</c>, a <c>silo/</c> row and an <c>alive/</c> time for each silo.</summary>
    public RedisKey Members => _prefix + "members";

    /// <summary>Hash: grain to <c>silo|activation|epoch|version</c>.</summary>
    public RedisKey Directory => _prefix + "directory";

    /// <summary>The last load epoch that was given out.</summary>
    public RedisKey Epoch => _prefix + "epoch";

    /// <summary>Says that the membership has a new version.</summary>
    public string MembersChannel => _prefix + "members-changed";

    /// <summary>Says what changed in a replicated map.</summary>
    public string MapChannel(string map) => $"{_prefix}map/{map}/changed";

    /// <summary>The keys of a replicated map, as <see cref="ReplicaScripts"/> wants them.</summary>
    public RedisKey[] Map(string map)
    {
        var prefix = $"{_prefix}map/{map}/";
        return [prefix + "header", prefix + "sequences", prefix + "contents", prefix + "changes", prefix + "removals"];
    }
}
