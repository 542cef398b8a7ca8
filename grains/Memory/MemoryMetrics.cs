using System.Diagnostics.Metrics;

namespace Cluster.Grains.Memory;

/// <summary>What the meter "Cluster.Memory" tells of the memory of a silo's sessions and runs.</summary>
internal sealed class MemoryMetrics
{
    public const string MeterName = "Cluster.Memory";

    public MemoryMetrics(IMeterFactory meters)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.tensor_memory.in_use", static () => OnnxAllocator.Pool.InUse, "By", "Memory of sessions and of runs under way");
        meter.CreateObservableGauge("cluster.tensor_memory.kept", static () => OnnxAllocator.Pool.KeptBytes, "By", "Memory that waits for the next run");
        meter.CreateObservableGauge("cluster.tensor_memory.limit", static () => OnnxAllocator.Pool.Limit, "By", "Memory that sessions and runs may take together");
        meter.CreateObservableCounter("cluster.tensor_memory.refusals", static () => OnnxAllocator.Refusals, "{block}", "Blocks that did not fit, each of which ended a load or a run");
    }
}
