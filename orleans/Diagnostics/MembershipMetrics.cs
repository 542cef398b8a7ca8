using System.Diagnostics.Metrics;

namespace Cluster.Runtime;

/// <summary>What the meter "Cluster.Runtime" tells of Redis. The engine's own measurements are the meter "Microsoft.Orleans".</summary>
internal sealed class MembershipMetrics
{
    private Func<bool> _redisReachable = static () => true;

    public MembershipMetrics(IMeterFactory meters)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(RuntimeMetrics.MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.redis.reachable", () => _redisReachable() ? 1 : 0, "{connection}", "1 if Redis answered the last operation");
    }

    public void ObserveRedis(Func<bool> reachable) => _redisReachable = reachable;
}
