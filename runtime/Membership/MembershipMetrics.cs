using System.Diagnostics.Metrics;

namespace Cluster.Runtime;

/// <summary>What the meter "Cluster.Runtime" tells of the cluster.</summary>
internal sealed class MembershipMetrics
{
    private readonly Histogram<double> _removals;
    private readonly Counter<long> _missedProbes;
    private readonly Counter<long> _votes;
    private readonly Counter<long> _withheld;
    private readonly Counter<long> _restored;
    private Func<bool> _redisReachable = static () => true;
    private Func<MembershipView> _view = static () => MembershipView.None;

    public MembershipMetrics(IMeterFactory meters)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(RuntimeMetrics.MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.redis.reachable", () => _redisReachable() ? 1 : 0, "{connection}", "1 if Redis answered the last operation");
        meter.CreateObservableGauge("cluster.membership.silos", MeasureSilos, "{silo}", "Silos that this process knows, by status");
        meter.CreateObservableGauge("cluster.membership.version", () => _view().Version, "{version}", "The version of the membership that this process knows");
        _removals = meter.CreateHistogram<double>("cluster.membership.removal.duration", "s", "From the first suspicion of a silo to its removal, by the silo that removed it");
        _missedProbes = meter.CreateCounter<long>("cluster.membership.probes.missed", "{probe}", "Probes that were not answered");
        _votes = meter.CreateCounter<long>("cluster.membership.votes", "{vote}", "Votes to remove a silo");
        _withheld = meter.CreateCounter<long>("cluster.membership.votes.withheld", "{vote}", "Silos that did not answer and were not voted against, by reason");
        _restored = meter.CreateCounter<long>("cluster.membership.restored", "{table}", "Times that this process put back a lost membership table");
    }

    public void ObserveRedis(Func<bool> reachable) => _redisReachable = reachable;

    public void ObserveMembership(Func<MembershipView> view) => _view = view;

    public void Removed(TimeSpan elapsed) => _removals.Record(elapsed.TotalSeconds);

    public void ProbeMissed(ProbeOutcome outcome) => _missedProbes.Add(1, new KeyValuePair<string, object?>("outcome", outcome.ToString()));

    public void Voted() => _votes.Add(1);

    public void VoteWithheld(SuspicionVerdict verdict) => _withheld.Add(1, new KeyValuePair<string, object?>("reason", verdict.ToString()));

    public void Restored() => _restored.Add(1);

    private IEnumerable<Measurement<int>> MeasureSilos() => _view().Entries.Values
        .CountBy(static entry => entry.Status)
        .Select(static pair => new Measurement<int>(pair.Value, new KeyValuePair<string, object?>("status", pair.Key.ToString())));
}
