using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Replicas;
using Cluster.Grains.Scaling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Cluster;

/// <summary>
/// Has this silo's replicas report their utilization to their models, every few seconds while they are used. In the same round it compares loaded replicas with the
/// published ones: a replica that its model does not name ends. One whose runs do not end is given up.
/// </summary>
internal sealed class UtilizationReporter(
    LocalReplicas replicas,
    IServingStates states,
    IGrainFactory grains,
    ClusterWorkOptions options,
    ScalingOptions scaling,
    TimeProvider time,
    ILogger<UtilizationReporter> logger) : IHostedService, IDisposable
{
    private readonly Lock _ticking = new();
    private readonly Dictionary<LocalReplica, ReportRound> _rounds = [];
    private ITimer? _timer;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = time.CreateTimer(static self => ((UtilizationReporter)self!).Tick(), this, options.LoadReportInterval, options.LoadReportInterval);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    private void Tick()
    {
        // A round that takes longer than the interval makes the next one superfluous.
        if (!_ticking.TryEnter())
        {
            return;
        }

        try
        {
            var all = replicas.All.ToHashSet();
            foreach (var gone in _rounds.Keys.Where(replica => !all.Contains(replica)).ToList())
            {
                _rounds.Remove(gone);
            }

            foreach (var replica in all)
            {
                if (replica.Activity.IsStuck())
                {
                    replica.Activity.GiveUp?.Invoke();
                    continue;
                }

                Look(replica, replica.Activity);
            }
        }
        catch (Exception exception)
        {
            // A timer's turn has no caller to tell; the next round tries again.
            Log.RoundFailed(logger, exception);
        }
        finally
        {
            _ticking.Exit();
        }
    }

    private void Look(LocalReplica replica, ReplicaActivity activity)
    {
        var now = time.GetTimestamp();
        states.TryGet(replica.Id.Model, out var state);
        var version = state?.Versions.FirstOrDefault(candidate => candidate.Version == replica.Id.Version);
        if (version?.Wants(replica.Id.Number) != true)
        {
            EndOrphan(replica, activity, now);
            return;
        }

        var round = Round(replica, now);
        round.UnwantedSince = null;
        // What came since the last round, not since the last report, which may be long ago.
        var interval = round.Looked is { } looked ? time.GetElapsedTime(looked) : activity.LoadedFor;
        round.Looked = now;
        var requests = activity.Requests;
        if (requests != round.Requests || (version.Replicas.Length > 1 && time.GetElapsedTime(round.Reported) >= options.IdleReportInterval))
        {
            round.Requests = requests;
            round.Reported = now;
            _ = ReportAsync(activity.Read(interval, scaling.MinSamples));
        }
    }

    private ReportRound Round(LocalReplica replica, long now) => _rounds.TryGetValue(replica, out var round) ? round : _rounds[replica] = new ReportRound { Reported = now };

    private void EndOrphan(LocalReplica replica, ReplicaActivity activity, long now)
    {
        var round = Round(replica, now);
        round.UnwantedSince ??= now;
        if (time.GetElapsedTime(round.UnwantedSince.Value) >= options.OrphanAge)
        {
            Log.EndsOrphan(logger, replica.Id.ToString());
            activity.End();
        }
    }

    private async Task ReportAsync(UtilizationReport load)
    {
        try
        {
            await grains.GetGrain<IModelGrain>(load.Replica.Model).ReportLoadAsync(load).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // A report has no caller that could learn of its failure. The next round reports again.
            Log.LoadNotReported(logger, load.Replica.ToString(), exception.Message);
        }
    }

    private sealed class ReportRound
    {
        public long Reported { get; set; }

        public long? Looked { get; set; }

        public long Requests { get; set; }

        public long? UnwantedSince { get; set; }
    }
}
