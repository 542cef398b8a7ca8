using Cluster.Metrics;

namespace Cluster.Grains.Metrics;

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
