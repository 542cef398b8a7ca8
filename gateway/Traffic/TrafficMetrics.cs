using Cluster.Contracts.Registry;
using Cluster.Metrics;

namespace Cluster.Gateway.Traffic;

/// <summary>The families of aliases with a traffic rule. A series is there from the rule's beginning to its end.</summary>
internal sealed class TrafficMetrics(MetricRegistry registry)
{
    public MetricFamily<ValueSeries> Requests { get; } = registry.Counter(
        "cluster_alias_requests", "Requests for aliases with a traffic rule, and copies of them, by their way and how they ended.", "alias", "leg", "outcome");

    public MetricFamily<HistogramSeries> Time { get; } = registry.Histogram(
        "cluster_alias_request_time_us", "Time of those that were answered, in microseconds.", HistogramBounds.Microseconds, "alias", "leg");

    public MetricFamily<ValueSeries> Comparisons { get; } = registry.Counter(
        "cluster_alias_comparisons", "Answers of a candidate that were compared with the active model's, by what differs first.", "alias", "result");

    public MetricFamily<ValueSeries> Dropped { get; } = registry.Counter(
        "cluster_alias_mirrors_dropped", "Copies that were not sent, since there were too many under way.", "alias");

    public MetricFamily<ValueSeries> Rollbacks { get; } = registry.Counter(
        "cluster_alias_rollbacks", "Rules whose candidate's share this gateway ended.", "alias", "cause");

    public MetricFamily<ValueSeries> Share { get; } = registry.Gauge(
        "cluster_alias_candidate_percent", "The candidate's share of an alias's requests now, or of its copies; 0 before it is loaded and once it is rolled back.", "alias");
}

/// <summary>The series of one alias with a rule.</summary>
internal sealed class TrafficSeries : IDisposable
{
    private static readonly TrafficLeg[] Legs = Enum.GetValues<TrafficLeg>();
    private static readonly TrafficOutcome[] Outcomes = Enum.GetValues<TrafficOutcome>();

    private readonly TrafficMetrics _metrics;
    private readonly ValueSeries[] _requests;
    private readonly HistogramSeries[] _times;
    private readonly ValueSeries[] _comparisons;
    private readonly ValueSeries[] _rollbacks;

    public TrafficSeries(TrafficMetrics metrics, string alias)
    {
        _metrics = metrics;
        _requests = [.. Legs.SelectMany(leg => Outcomes.Select(outcome => metrics.Requests.Acquire(alias, Name(leg), Name(outcome))))];
        _times = [.. Legs.Select(leg => metrics.Time.Acquire(alias, Name(leg)))];
        _comparisons = [.. Enum.GetValues<AnswerDifference>().Select(difference => metrics.Comparisons.Acquire(alias, Name(difference)))];
        _rollbacks = [.. Enum.GetValues<RollbackCause>().Select(cause => metrics.Rollbacks.Acquire(alias, Name(cause)))];
        Dropped = metrics.Dropped.Acquire(alias);
        Share = metrics.Share.Acquire(alias);
    }

    public ValueSeries Dropped { get; }

    public ValueSeries Share { get; }

    public void Ended(TrafficLeg leg, TrafficOutcome outcome, TimeSpan elapsed)
    {
        _requests[((int)leg * Outcomes.Length) + (int)outcome].Increment();
        if (outcome == TrafficOutcome.Success)
        {
            _times[(int)leg].Record(elapsed.TotalMicroseconds);
        }
    }

    public void Compared(AnswerDifference difference) => _comparisons[(int)difference].Increment();

    public void RolledBack(RollbackCause cause) => _rollbacks[(int)cause].Increment();

    public void Dispose()
    {
        Array.ForEach(_requests, _metrics.Requests.Release);
        Array.ForEach(_times, _metrics.Time.Release);
        Array.ForEach(_comparisons, _metrics.Comparisons.Release);
        Array.ForEach(_rollbacks, _metrics.Rollbacks.Release);
        _metrics.Dropped.Release(Dropped);
        _metrics.Share.Release(Share);
    }

    private static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
