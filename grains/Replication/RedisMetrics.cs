using System.Diagnostics.Metrics;

namespace Cluster.Grains.Replication;

/// <summary>What the meter "Cluster.Redis" tells of the shared connection.</summary>
internal sealed class RedisMetrics
{
    public const string MeterName = "Cluster.Redis";

    private Func<bool> _redisReachable = static () => true;

    public RedisMetrics(IMeterFactory meters)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.redis.reachable", () => _redisReachable() ? 1 : 0, "{connection}", "1 if Redis answered the last operation");
    }

    public void ObserveRedis(Func<bool> reachable) => _redisReachable = reachable;
}
