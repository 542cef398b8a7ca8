using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Models;
using Cluster.Grains.Placement;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Cluster;

/// <summary>
/// Does what is done once for the whole cluster. It runs on every silo and acts on the one whose address sorts first among the active ones; while that changes
/// two may act, which the models take for one. Models that had copies on a silo that died are told at once; where there is free space, models are loaded
/// ahead of their next request, after a silo joined and every few minutes; and models that had to do with fewer copies than their least get them.
/// </summary>
internal sealed class ClusterCaretaker(
    IClusterMembershipService membership,
    IServingStates states,
    IRegistrations registrations,
    SiloView silos,
    PlacementRequests requests,
    IGrainFactory grains,
    ILocalSiloDetails local,
    ClusterOptions options,
    ClusterMetrics metrics,
    TimeProvider time,
    ILogger<ClusterCaretaker> logger) : BackgroundService
{
    private readonly SemaphoreSlim _wake = new(0, 1);
    private ImmutableHashSet<SiloAddress> _active = [];

    /// <summary>Whether this silo acts for the cluster.</summary>
    internal bool IsLeader => membership.CurrentSnapshot.ModelSilos().Order().FirstOrDefault() == local.SiloAddress;

    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(WatchAsync(stoppingToken), LoadAheadAsync(stoppingToken));

    /// <summary>
    /// Told of each silo that is published as holding something and is not there any more, rather than of changes alone: a silo that becomes the leader
    /// makes up for what the one before did not get done.
    /// </summary>
    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            var active = snapshot.ModelSilos().ToImmutableHashSet();
            var joined = active.Except(_active);
            _active = active;
            await TurnAsync(() => TellOfLostAsync(snapshot, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (!joined.IsEmpty && _wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
    }

    private async Task LoadAheadAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await WaitAsync(options.LoadAheadInterval, cancellationToken).ConfigureAwait(false);
            await Task.Delay(options.LoadAheadDelay, time, cancellationToken).ConfigureAwait(false);
            if (IsLeader && !silos.IsAlone)
            {
                await TurnAsync(() => AddCopiesAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
                await TurnAsync(() => LoadAheadOnceAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
                await TurnAsync(() => TellOfLostAsync(membership.CurrentSnapshot, cancellationToken), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Until a silo joins, or the time is over.</summary>
    private async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(atMost, time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await _wake.WaitAsync(over.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The time is over.
        }
    }

    private async Task TellOfLostAsync(ClusterMembershipSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (!IsLeader)
        {
            return;
        }

        var lost = new Dictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (var state in states.All)
        {
            foreach (var silo in state.Versions.SelectMany(version => version.Placements).Select(placement => placement.Silo).Distinct())
            {
                if (snapshot.GetSiloStatus(SiloAddress.FromParsableString(silo)) == SiloStatus.Dead)
                {
                    (lost.TryGetValue(state.Name, out var known) ? known : lost[state.Name] = new SortedSet<string>(StringComparer.Ordinal)).Add(silo);
                }
            }
        }

        if (lost.Count == 0)
        {
            return;
        }

        var all = lost.Values.SelectMany(each => each).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        Log.SilosLost(logger, string.Join(", ", all), lost.Count);
        metrics.LossesHandled(all.Count);
        await Parallel.ForEachAsync(
            lost,
            new ParallelOptions { MaxDegreeOfParallelism = options.LossConcurrency, CancellationToken = cancellationToken },
            async (model, _) => await TellOfLostAsync(model.Key, [.. model.Value]).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task TellOfLostAsync(string model, ImmutableArray<string> lost)
    {
        try
        {
            await grains.GetGrain<IModelGrain>(model).SilosLostAsync(lost).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // One model's trouble, whatever it is; it is told again on the next round.
            Log.LossNotTold(logger, model, exception.Message);
        }
    }

    private Task AddCopiesAsync(CancellationToken cancellationToken) => Parallel.ForEachAsync(
        LoadAhead.WithTooFewCopies(states.All, registrations, silos.Active().Count),
        new ParallelOptions { MaxDegreeOfParallelism = options.LoadAheadConcurrency, CancellationToken = cancellationToken },
        async (model, _) => await AddCopiesAsync(model).ConfigureAwait(false));

    private async Task AddCopiesAsync(string model)
    {
        try
        {
            await grains.GetGrain<IModelWorkGrain>(model).CarryOutAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // One model's trouble, whatever it is; it is asked again on the next round.
            Log.NotCarriedOut(logger, model, exception.Message);
        }
    }

    private async Task LoadAheadOnceAsync(CancellationToken cancellationToken)
    {
        var chosen = LoadAhead.Choose(states.All, silos.Active(), id => requests.Of(id)?.Bytes, options);
        if (chosen.IsEmpty)
        {
            return;
        }

        Log.LoadsAhead(logger, chosen.Length);
        await Parallel.ForEachAsync(
            chosen,
            new ParallelOptions { MaxDegreeOfParallelism = options.LoadAheadConcurrency, CancellationToken = cancellationToken },
            async (id, token) => await LoadAsync(id, token).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task LoadAsync(ModelCopyId id, CancellationToken cancellationToken)
    {
        try
        {
            await grains.GetGrain<IModelVersionGrain>(id.ToString()).DescribeAsync(cancellationToken).ConfigureAwait(false);
            metrics.LoadedAhead();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Nobody has asked for it; its next request tells more.
            Log.NotLoadedAhead(logger, id.Model, exception.Message);
        }
    }

    /// <summary>One turn of a loop: what goes wrong in it is logged, and the loop goes on.</summary>
    private async Task TurnAsync(Func<Task> turn, CancellationToken cancellationToken)
    {
        try
        {
            await turn().ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CaretakerFailed(logger, exception);
        }
    }
}
