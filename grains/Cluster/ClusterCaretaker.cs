using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Models;
using Cluster.Grains.Placement;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Cluster;

/// <summary>
/// The work of <see cref="ControllerGrain"/>, from what its silo knows: models that had replicas on a silo that died are told. Where there is free space,
/// models are loaded ahead of their next request. Models that had to do with fewer replicas than their least get them.
/// </summary>
internal sealed class ClusterCaretaker(
    IClusterMembershipService membership,
    IServingStates states,
    IRegistrations registrations,
    SiloView silos,
    PlacementRequests requests,
    IGrainFactory grains,
    ClusterWorkOptions options,
    ClusterMetrics metrics,
    ILogger<ClusterCaretaker> logger)
{
    /// <summary>Adds replicas that are missing and loads ahead; nothing in a cluster of one silo.</summary>
    public async Task LoadAheadAsync(CancellationToken cancellationToken)
    {
        if (!silos.IsAlone)
        {
            await AddReplicasAsync(cancellationToken).ConfigureAwait(false);
            await LoadAheadOnceAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Tells models of each dead silo that is published as a holder, not only of changes. So it makes up for work that was not done before.
    /// </summary>
    public async Task TellOfLostAsync(CancellationToken cancellationToken)
    {
        var snapshot = membership.CurrentSnapshot;
        var lost = new Dictionary<string, HashSet<SiloAddress>>(StringComparer.Ordinal);
        foreach (var state in states.All)
        {
            foreach (var replica in state.Versions.SelectMany(version => version.Replicas.Concat(version.Arriving)))
            {
                if (snapshot.GetSiloStatus(replica.Silo) == SiloStatus.Dead)
                {
                    (lost.TryGetValue(state.Name, out var known) ? known : lost[state.Name] = []).Add(replica.Silo);
                }
            }
        }

        if (lost.Count == 0)
        {
            return;
        }

        var all = lost.Values.SelectMany(each => each).Distinct().Order().ToList();
        Log.SilosLost(logger, string.Join(", ", all), lost.Count);
        metrics.LossesHandled(all.Count);
        await Parallel.ForEachAsync(
            lost,
            new ParallelOptions { MaxDegreeOfParallelism = options.LossConcurrency, CancellationToken = cancellationToken },
            async (model, _) => await TellOfLostAsync(model.Key, [.. model.Value]).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task TellOfLostAsync(string model, ImmutableArray<SiloAddress> lost)
    {
        try
        {
            await grains.GetGrain<IModelGrain>(model).SilosLostAsync(lost).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // One model's trouble must not stop the round; the next one tells it again.
            Log.LossNotTold(logger, model, exception.Message);
        }
    }

    private Task AddReplicasAsync(CancellationToken cancellationToken) => Parallel.ForEachAsync(
        LoadAhead.WithTooFewReplicas(states.All, registrations, silos.Active().Count),
        new ParallelOptions { MaxDegreeOfParallelism = options.LoadAheadConcurrency, CancellationToken = cancellationToken },
        async (model, _) => await AddReplicasAsync(model).ConfigureAwait(false));

    private async Task AddReplicasAsync(string model)
    {
        try
        {
            await grains.GetGrain<IModelWorkGrain>(model).CarryOutAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // One model's trouble must not stop the round; the next one asks it again.
            Log.NotCarriedOut(logger, model, exception.Message);
        }
    }

    private async Task LoadAheadOnceAsync(CancellationToken cancellationToken)
    {
        var chosen = LoadAhead.Choose(states.All, silos.Active(), requests.BytesOf, options);
        if (chosen.IsEmpty)
        {
            return;
        }

        Log.LoadsAhead(logger, chosen.Length);
        await Parallel.ForEachAsync(
            chosen,
            new ParallelOptions { MaxDegreeOfParallelism = options.LoadAheadConcurrency, CancellationToken = cancellationToken },
            async (next, token) => await LoadAsync(next.Model, next.Version, token).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task LoadAsync(string model, long version, CancellationToken cancellationToken)
    {
        try
        {
            await grains.GetGrain<IModelGrain>(model).EnsureLoadedAsync(version, missing: null, cancellationToken).ConfigureAwait(false);
            metrics.LoadedAhead();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // No request waits for it; its next one tells more.
            Log.NotLoadedAhead(logger, model, exception.Message);
        }
    }
}

/// <summary>Chooses what to load ahead of its next request. Pure.</summary>
internal static class LoadAhead
{
    /// <summary>Versions that are not in memory, most recently used first, as far as they fit into a share of the free space above a reserve.</summary>
    /// <param name="bytes">What a replica will take; null if that is not known.</param>
    public static ImmutableArray<(string Model, long Version)> Choose(
        IEnumerable<ModelServingState> states, IReadOnlyCollection<SiloState> silos, Func<string, long, long?> bytes, ClusterWorkOptions options)
    {
        var space = silos.Where(silo => !silo.Draining).Sum(silo => Math.Max(0.0, silo.Free - (silo.Capacity * options.Reserve))) * options.LoadAheadShare;
        var chosen = ImmutableArray.CreateBuilder<(string, long)>();
        var candidates = states
            .SelectMany(state => state.Versions.Select(version => (state.Name, Version: version)))
            .Where(candidate => candidate.Version is { OnDemand: true, State: ModelVersionState.Ready, Arriving.IsEmpty: true })
            .OrderByDescending(candidate => candidate.Version.LastUsed ?? DateTimeOffset.MinValue)
            .ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
            .ThenByDescending(candidate => candidate.Version.Version);
        foreach (var (name, version) in candidates)
        {
            if (bytes(name, version.Version) is { } size && size <= space)
            {
                space -= size;
                chosen.Add((name, version.Version));
            }
        }

        return chosen.DrainToImmutable();
    }

    /// <summary>Models of which a version is in memory with fewer replicas than its least, though there are silos for more.</summary>
    public static IEnumerable<string> WithTooFewReplicas(IEnumerable<ModelServingState> states, IRegistrations registrations, int silos) =>
        from state in states
        let least = registrations.TryGet(state.Name, out var registration) ? Math.Min(registration.CopyBounds().Least, silos) : 1
        where state.Versions.Any(version => version.Arriving.IsEmpty && version.Replicas.Length > 0 && version.Replicas.Length < least)
        select state.Name;
}
