using System.Globalization;
using Cluster.Contracts.Models;
using Cluster.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Grains.Metrics;

/// <summary>
/// What one loaded replica counts. Its series are there, at 0, from construction to disposal; replicas of one version in one process
/// share them and add up. Every recording member is thread-safe, lock-free and allocates nothing, and may still be called after disposal.
/// </summary>
/// <remarks>
/// The order of calls for a request: <see cref="RequestQueued"/> and <see cref="RequestDequeued"/> if it has to wait at all, then
/// <see cref="RequestStarted"/> and <see cref="RequestEnded"/>, or <see cref="Rejected"/>. Runs are counted apart because a run can answer several requests.
/// </remarks>
internal sealed class ReplicaMetrics : IDisposable
{
    private readonly ReplicaMetricFamilies _families;
    private readonly int _streams;
    private int _slots;
    private readonly ValueSeries _currentRequests;
    private readonly ValueSeries _waitingRequests;
    private readonly ValueSeries _activeSlots;
    private readonly ValueSeries _streamCount;
    private readonly ValueSeries _slotCount;
    private readonly ValueSeries _copies;
    private readonly HistogramSeries _inferenceTime;
    private readonly HistogramSeries _waitTime;
    private readonly HistogramSeries _batchRows;
    private readonly ValueSeries _queueFull;
    private readonly ValueSeries _deadline;
    private readonly ValueSeries _cancelled;
    private readonly ValueSeries _stuckRuns;
    private int _stuck;
    private int _disposed;

    public ReplicaMetrics(ReplicaMetricFamilies families, string model, long version, int streams, int slots, string provider)
    {
        _families = families;
        _streams = streams;
        _slots = slots;
        var label = version.ToString(CultureInfo.InvariantCulture);
        _currentRequests = families.CurrentRequests.Acquire(model, label);
        _waitingRequests = families.WaitingRequests.Acquire(model, label);
        _activeSlots = families.ActiveSlots.Acquire(model, label);
        _streamCount = families.Streams.Acquire(model, label);
        _copies = families.Copies.Acquire(model, provider, label);
        _slotCount = families.Slots.Acquire(model, label);
        _inferenceTime = families.InferenceTime.Acquire(model, label);
        _waitTime = families.WaitTime.Acquire(model, label);
        _batchRows = families.BatchRows.Acquire(model, label);
        _queueFull = families.RejectedRequests.Acquire(model, "queue_full", label);
        _deadline = families.RejectedRequests.Acquire(model, "deadline", label);
        _cancelled = families.RejectedRequests.Acquire(model, "cancelled", label);
        _stuckRuns = families.StuckRuns.Acquire(model, label);
        _streamCount.Add(streams);
        _copies.Increment();
        _slotCount.Add(slots);
        families.ModelsLoaded.Increment();
    }

    /// <summary>A request begins to wait for a slot.</summary>
    public void RequestQueued() => _waitingRequests.Increment();

    /// <summary>A request ends its wait, with a slot or without.</summary>
    public void RequestDequeued() => _waitingRequests.Decrement();

    /// <summary>A request has its slot.</summary>
    /// <param name="wait">How long it waited for it; zero if one was free.</param>
    public void RequestStarted(TimeSpan wait)
    {
        _currentRequests.Increment();
        _families.CountRequest();
        _waitTime.Record(wait.TotalMicroseconds);
    }

    /// <summary>A request that <see cref="RequestStarted"/> counted is over, well or not.</summary>
    public void RequestEnded() => _currentRequests.Decrement();

    /// <summary>A request that <see cref="RequestStarted"/> counted waits for a run of its own.</summary>
    public void RequestSentBack()
    {
        _currentRequests.Decrement();
        _waitingRequests.Increment();
    }

    /// <summary>A request that was sent back, and is dequeued, has a slot again.</summary>
    public void RequestResumed() => _currentRequests.Increment();

    /// <summary>The session starts to run.</summary>
    /// <param name="rows">Size of the first dimension, over all requests of the run; 1 for a model without batches.</param>
    public void RunStarted(long rows)
    {
        _activeSlots.Increment();
        _batchRows.Record(rows);
    }

    /// <summary>The session has run.</summary>
    /// <param name="inference">How long that took, without binding inputs and writing outputs.</param>
    public void RunEnded(TimeSpan inference)
    {
        _activeSlots.Decrement();
        _inferenceTime.Record(inference.TotalMicroseconds);
    }

    /// <summary>A run that <see cref="RunStarted"/> counted threw: its time says nothing about the model's.</summary>
    public void RunFailed() => _activeSlots.Decrement();

    /// <summary>The replica runs so many requests at once from now on.</summary>
    public void SlotsChanged(int slots) => _slotCount.Add(slots - Interlocked.Exchange(ref _slots, slots));

    /// <summary>So many runs do not end.</summary>
    public void StuckChanged(int runs)
    {
        if (runs != _stuck)
        {
            _stuckRuns.Add(runs - Interlocked.Exchange(ref _stuck, runs));
        }
    }

    /// <summary>A request was not run.</summary>
    public void Rejected(RejectionReason reason)
    {
        var series = reason switch
        {
            RejectionReason.QueueFull => _queueFull,
            RejectionReason.Deadline => _deadline,
            _ => _cancelled,
        };
        series.Increment();
    }

    /// <summary>Times of the session's runs, in microseconds.</summary>
    public HistogramCounts InferenceTimes => _inferenceTime.Read();

    /// <summary>Times that requests waited for a slot, in microseconds; one for each request that began to run.</summary>
    public HistogramCounts WaitTimes => _waitTime.Read();

    /// <summary>Requests that were refused: queue full, or a deadline that cannot be met.</summary>
    public long Refused => (long)(_queueFull.Value + _deadline.Value);

    /// <summary>Takes this replica's share out; the series go with the last replica of the version. A second call does nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _streamCount.Add(-_streams);
        _slotCount.Add(-_slots);
        _stuckRuns.Add(-_stuck);
        _families.ModelsLoaded.Decrement();
        _copies.Decrement();
        _families.Copies.Release(_copies);
        _families.CurrentRequests.Release(_currentRequests);
        _families.WaitingRequests.Release(_waitingRequests);
        _families.ActiveSlots.Release(_activeSlots);
        _families.Streams.Release(_streamCount);
        _families.Slots.Release(_slotCount);
        _families.InferenceTime.Release(_inferenceTime);
        _families.WaitTime.Release(_waitTime);
        _families.BatchRows.Release(_batchRows);
        _families.RejectedRequests.Release(_queueFull);
        _families.RejectedRequests.Release(_deadline);
        _families.RejectedRequests.Release(_cancelled);
        _families.StuckRuns.Release(_stuckRuns);
    }
}

/// <summary>Why a replica did not run a request that it was given.</summary>
internal enum RejectionReason
{
    /// <summary>As many requests waited as may wait.</summary>
    QueueFull,

    /// <summary>The deadline passed in the queue, or could not be met.</summary>
    Deadline,

    /// <summary>The caller gave up.</summary>
    Cancelled,
}

/// <summary>The families that a loaded replica has series in. Names that begin with <c>ovms_</c> mean, are labelled and are bucketed as in OpenVINO Model Server.</summary>
internal sealed class ReplicaMetricFamilies(MetricRegistry registry)
{
    private long _requestsStarted;

    /// <summary>Requests that replicas of this process have started to run, ever.</summary>
    public long RequestsStarted => Interlocked.Read(ref _requestsStarted);

    public MetricFamily<ValueSeries> CurrentRequests { get; } =
        registry.Gauge("ovms_current_requests", "Requests in processing, those that wait for a slot left out.", "name", "version");

    public MetricFamily<HistogramSeries> InferenceTime { get; } =
        registry.Histogram("ovms_inference_time_us", "Time of the session's runs, in microseconds.", HistogramBounds.Microseconds, "name", "version");

    public MetricFamily<HistogramSeries> WaitTime { get; } =
        registry.Histogram("ovms_wait_for_infer_req_time_us", "Time requests waited for a slot, in microseconds.", HistogramBounds.Microseconds, "name", "version");

    public MetricFamily<ValueSeries> Streams { get; } =
        registry.Gauge("ovms_streams", "Runs that the execution provider carries out side by side.", "name", "version");

    public MetricFamily<ValueSeries> Copies { get; } =
        registry.Gauge("cluster_copies", "Replicas that are loaded, by where their graphs run.", "name", "provider", "version");

    public MetricFamily<ValueSeries> Slots { get; } =
        registry.Gauge("ovms_infer_req_queue_size", "Slots for runs.", "name", "version");

    public MetricFamily<ValueSeries> ActiveSlots { get; } =
        registry.Gauge("ovms_infer_req_active", "Slots that are running.", "name", "version");

    public MetricFamily<ValueSeries> StuckRuns { get; } =
        registry.Gauge("cluster_stuck_runs", "Runs that did not end when they were asked to, and hold a slot.", "name", "version");

    public MetricFamily<ValueSeries> WaitingRequests { get; } =
        registry.Gauge("cluster_waiting_requests", "Requests waiting for a slot.", "name", "version");

    public MetricFamily<ValueSeries> RejectedRequests { get; } =
        registry.Counter("cluster_rejected_requests", "Requests that were not run, by reason.", "name", "reason", "version");

    public MetricFamily<HistogramSeries> BatchRows { get; } =
        registry.Histogram("cluster_batch_rows", "Rows in each of the session's runs.", HistogramBounds.PowersOfTwo, "name", "version");

    /// <summary>Held for good: a process without a copy says 0, not nothing.</summary>
    public ValueSeries ModelsLoaded { get; } =
        registry.Gauge("cluster_models_loaded", "Replicas of model versions that are loaded.").Acquire();

    public void CountRequest() => Interlocked.Increment(ref _requestsStarted);
}

/// <summary>Makes the metrics of replicas, once they are loaded. One a process; thread-safe.</summary>
internal sealed class ReplicaMetricsFactory(MetricRegistry registry)
{
    private readonly ReplicaMetricFamilies _families = new(registry);

    /// <summary>Requests that replicas of this process have started to run, ever.</summary>
    public long RequestsStarted => _families.RequestsStarted;

    /// <param name="model">The model's name.</param>
    /// <param name="version">At least 1.</param>
    /// <param name="streams">Runs that the execution provider carries out side by side.</param>
    /// <param name="slots">Runs that the replica lets run at once (OVMS's nireq).</param>
    /// <param name="provider">Where the graph runs.</param>
    public ReplicaMetrics Create(string model, long version, int streams, int slots, ExecutionProvider provider = ExecutionProvider.Cpu) =>
        new(_families, model, version, streams, slots, provider == ExecutionProvider.OpenVino ? "openvino" : "cpu");
}

/// <summary>Registers what silos count.</summary>
public static class ReplicaMetricsServiceCollectionExtensions
{
    /// <summary>Adds the metrics of replicas and of loads, and the <see cref="MetricRegistry"/> if it is not there yet.</summary>
    public static IServiceCollection AddReplicaMetrics(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<MetricRegistry>();
        services.TryAddSingleton<ReplicaMetricsFactory>();
        services.TryAddSingleton<LoadMetrics>();
        return services;
    }
}
