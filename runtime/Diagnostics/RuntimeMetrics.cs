using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Cluster.Runtime;

/// <summary>The meter "Cluster.Runtime". Every instrument but the pending calls has the tag <c>grain.type</c>.</summary>
internal sealed class RuntimeMetrics
{
    public const string MeterName = "Cluster.Runtime";
    private const string GrainTypeTag = "grain.type";

    private readonly ConcurrentDictionary<GrainType, Count> _active = new();
    private readonly Counter<long> _activationFailures;
    private readonly Counter<long> _deactivationFailures;
    private readonly Counter<long> _timerFailures;
    private readonly Counter<long> _timeouts;
    private PendingCalls? _pending;

    public RuntimeMetrics(IMeterFactory meters)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.runtime.activations", MeasureActivations, "{activation}", "Activations that are valid or ending");
        meter.CreateObservableGauge("cluster.runtime.calls.pending", () => _pending?.Count ?? 0, "{call}", "Calls whose callers wait");
        _activationFailures = meter.CreateCounter<long>("cluster.runtime.activation.failures", "{activation}", "Activations that could not be brought up");
        _deactivationFailures = meter.CreateCounter<long>("cluster.runtime.deactivation.failures", "{activation}", "Activations that failed while they ended");
        _timerFailures = meter.CreateCounter<long>("cluster.runtime.timer.failures", "{tick}", "Timer ticks that failed");
        _timeouts = meter.CreateCounter<long>("cluster.runtime.calls.timeouts", "{call}", "Calls that were not answered in time");
    }

    public void Observe(PendingCalls pending) => _pending = pending;

    public void Activated(GrainClass grainClass) => Interlocked.Increment(ref CountOf(grainClass).Value);

    public void Deactivated(GrainClass grainClass) => Interlocked.Decrement(ref CountOf(grainClass).Value);

    public void ActivationFailed(GrainClass grainClass) => _activationFailures.Add(1, Tag(grainClass.GrainType));

    public void DeactivationFailed(GrainClass grainClass) => _deactivationFailures.Add(1, Tag(grainClass.GrainType));

    public void TimerFailed(GrainClass grainClass) => _timerFailures.Add(1, Tag(grainClass.GrainType));

    public void CallTimedOut(GrainType type) => _timeouts.Add(1, Tag(type));

    private Count CountOf(GrainClass grainClass) => _active.GetOrAdd(grainClass.GrainType, static _ => new Count());

    private IEnumerable<Measurement<long>> MeasureActivations() =>
        _active.Select(static pair => new Measurement<long>(Volatile.Read(ref pair.Value.Value), Tag(pair.Key)));

    private static KeyValuePair<string, object?> Tag(GrainType type) => new(GrainTypeTag, type.ToString());

    private sealed class Count
    {
        public long Value;
    }
}
