using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Models;

namespace Cluster.Grains.Placement;

/// <summary>Chooses a copy's silo by <see cref="PlacementPolicy"/>, from what the silos publish of themselves.</summary>
internal sealed class ModelPlacementDirector(
    SiloView view, PlacementRequests requests, RecentPlacements recent, PlacementOptions options, PlacementRandom random, PlacementMetrics metrics) : IPlacementDirector
{
    /// <exception cref="SiloUnavailableException">No silo can take the copy now; says why.</exception>
    /// <exception cref="ServingException">UNAVAILABLE: no silo has the labels or the capacity.</exception>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        var key = target.GrainIdentity.Key.ToString();
        var silo = silos.Length == 1 ? Only(silos[0]) : Choose(silos, key);
        recent.Add(key, silo);
        return Task.FromResult(silo);
    }

    private SiloAddress Only(SiloAddress silo)
    {
        metrics.Placed(PlacementReason.OnlySilo);
        return silo;
    }

    private SiloAddress Choose(SiloAddress[] silos, string key)
    {
        List<SiloState> states = [.. view.Active().Where(state => silos.Contains(state.Silo))];
        if (states.Count == 0 || !ModelCopyId.TryParse(key, out var id) || requests.Of(id) is not { } request)
        {
            metrics.Placed(PlacementReason.NothingKnown);
            return random.OneOf(silos);
        }

        // Beside a copy of this version only if nothing else is left: one of new content may, the silo itself refuses one of the same. The same goes for
        // silos that refused a moment ago.
        var excluded = recent.Of(key);
        var choice = Choose(states, request with { Excluded = excluded });
        choice = choice.Found ? choice : Choose(states, request with { Excluded = excluded, Holders = [] });
        choice = choice.Found ? choice : Choose(states, request with { Holders = [] });
        metrics.Placed(!choice.Found ? PlacementReason.NoSilo : request.ForLoad ? PlacementReason.FurtherCopy : PlacementReason.FirstCopy);
        return choice.Found ? choice.Silo : throw NoSilo(states, request, choice.Reason);
    }

    /// <summary>Whoever asks waits where a silo may be had in a moment, and is told where none of them will ever do.</summary>
    private static Exception NoSilo(List<SiloState> states, PlacementRequest request, string reason) =>
        states.TrueForAll(silo => request.Bytes > silo.Capacity || !request.Required.All(silo.Labels.Contains))
            ? new ServingException(Failure.Unavailable(reason, CopyLoader.NoSiloRetry))
            : new SiloUnavailableException(reason);

    private PlacementChoice Choose(List<SiloState> states, PlacementRequest request) =>
        random.Use(source => PlacementPolicy.Choose(states, request, options, source));
}
