using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Cluster.Grains.Replication;

/// <summary>What the meter "Cluster.Redis" tells of replicated maps. Every instrument has the tag <c>map</c>.</summary>
internal sealed class ReplicationMetrics
{
    private readonly ConcurrentBag<ReplicatedMap> _maps = [];
    private readonly Counter<long> _caughtUp;
    private readonly Counter<long> _putBack;

    public ReplicationMetrics(IMeterFactory meters)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(RedisMetrics.MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.replication.entries", () => Measure(static map => map.Count), "{entry}", "Entries of this process' replica");
        meter.CreateObservableGauge(
            "cluster.replication.pending", () => Measure(static map => map.Pending), "{entry}", "Entries of this process that Redis does not have yet");
        _caughtUp = meter.CreateCounter<long>("cluster.replication.caught.up", "{entry}", "Entries that no message had brought in time");
        _putBack = meter.CreateCounter<long>("cluster.replication.put.back", "{entry}", "Entries that this process had and a restarted Redis had not");
    }

    public void Observe(ReplicatedMap map) => _maps.Add(map);

    public void CaughtUp(string map, int entries) => Add(_caughtUp, map, entries);

    public void PutBack(string map, int entries) => Add(_putBack, map, entries);

    private static void Add(Counter<long> counter, string map, int count)
    {
        if (count > 0)
        {
            counter.Add(count, new KeyValuePair<string, object?>("map", map));
        }
    }

    private IEnumerable<Measurement<int>> Measure(Func<ReplicatedMap, int> read) =>
        _maps.Select(map => new Measurement<int>(read(map), new KeyValuePair<string, object?>("map", map.Name)));
}
