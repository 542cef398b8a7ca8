using System.Globalization;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;

namespace Cluster.Grains.Placement;

/// <summary>
/// Chooses the silo for a new replica. Pure but for the random source.
/// <list type="number">
/// <item>Out are silos that drain, hold a replica, failed, are excluded, lack a required label or OpenVINO, or are smaller than the replica.</item>
/// <item>Of the rest, those whose model repository agrees with the cluster's, if there are any.</item>
/// <item>The best of them: room before none; all full, the one whose oldest entry is oldest; fewest replicas; most free.</item>
/// <item>A short list of those about as good; of preferred ones alone if there are any.</item>
/// <item>For a replica that is wanted for load, without those that are busy themselves.</item>
/// <item>At random among them, so that many deciding at once by the same old news do not all go to one place.</item>
/// </list>
/// </summary>
public static class PlacementPolicy
{
    public static PlacementChoice Choose(IReadOnlyCollection<SiloState> silos, PlacementRequest request, PlacementOptions options, Random random)
    {
        var eligible = Eligible(silos, request);
        if (eligible.Count == 0)
        {
            return new PlacementChoice(null, Explain(silos, request));
        }

        var shortList = ShortList(eligible, request, options);
        if (request.ForLoad)
        {
            shortList = WithoutBusy(shortList, options);
        }

        var chosen = shortList[random.Next(shortList.Count)];
        return new PlacementChoice(chosen.Silo, "", chosen.Free >= request.Bytes);
    }

    /// <summary>The silos that a choice would be made among, best first; empty where none is eligible.</summary>
    internal static IReadOnlyList<SiloState> Candidates(IReadOnlyCollection<SiloState> silos, PlacementRequest request, PlacementOptions options)
    {
        var eligible = Eligible(silos, request);
        return eligible.Count == 0 ? [] : ShortList(eligible, request, options);
    }

    /// <summary>Whether a silo could take the replica, by making room if need be.</summary>
    internal static bool IsEligible(SiloState silo, PlacementRequest request) => WhyNot(silo, request) is null;

    /// <summary>What the policy thinks of each silo for a replica: the steps of a choice, told one silo at a time.</summary>
    internal static IEnumerable<SiloVerdict> Judge(IReadOnlyCollection<SiloState> silos, PlacementRequest request, PlacementOptions options)
    {
        var eligible = Eligible(silos, request);
        var shortList = eligible.Count == 0 ? [] : ShortList(eligible, request, options);
        var anyHasRoom = eligible.Exists(silo => silo.Free >= request.Bytes);
        return silos.OrderBy(static silo => silo.Silo).Select(silo =>
        {
            var fits = eligible.Contains(silo);
            var isCandidate = shortList.Contains(silo);
            var reason = WhyNot(silo, request)
                ?? (!fits ? "with another model repository than the others"
                    : isCandidate ? anyHasRoom ? "has room, and is among the best" : "full as all are, and among those with what is unused for longest"
                    : silo.Free >= request.Bytes ? "has room, and others are better: fewer replicas, more free or a preferred label"
                    : anyHasRoom ? "full, and others have room"
                    : "full, and others have what is unused for longer, or a preferred label");
            return new SiloVerdict(silo.Silo.ToParsableString(), fits, isCandidate, reason);
        });
    }

    private static List<SiloState> Eligible(IEnumerable<SiloState> silos, PlacementRequest request)
    {
        var all = silos.Where(silo => WhyNot(silo, request) is null).ToList();
        return all.Exists(static silo => !silo.Disagrees) ? all.FindAll(static silo => !silo.Disagrees) : all;
    }

    private static List<SiloState> ShortList(List<SiloState> eligible, PlacementRequest request, PlacementOptions options)
    {
        var withRoom = eligible.Where(silo => silo.Free >= request.Bytes).ToList();
        return withRoom.Count > 0
            ? ShortListWithRoom(withRoom, request, options)
            : ShortListOfFull(eligible, request, options);
    }

    private static List<SiloState> ShortListWithRoom(List<SiloState> silos, PlacementRequest request, PlacementOptions options)
    {
        var preferred = silos.Where(silo => IsPreferred(silo, request)).ToList();
        var ordered = (preferred.Count > 0 ? preferred : silos)
            .OrderBy(silo => silo.Copies)
            .ThenByDescending(silo => silo.Free)
            .ThenByDescending(silo => silo.Version)
            .ToList();
        var best = ordered[0];
        var mostReplicas = Math.Max(options.FewCopies, best.Copies * options.CopiesFactor);
        return ordered.FindAll(silo => silo == best || (silo.Copies <= mostReplicas && silo.Free >= best.Free * options.FreeShare));
    }

    private static List<SiloState> ShortListOfFull(List<SiloState> silos, PlacementRequest request, PlacementOptions options)
    {
        var ordered = silos
            .OrderByDescending(Age)
            .ThenBy(silo => silo.Copies)
            .ThenByDescending(silo => silo.Free)
            .ThenByDescending(silo => silo.Version)
            .ToList();
        var best = Age(ordered[0]);
        var preferred = ordered.FindAll(silo => IsPreferred(silo, request) && IsNear(silo, best, options.PreferredSlack, options.PreferredSlackShare));
        return preferred.Count > 0 ? preferred : ordered.FindAll(silo => IsNear(silo, best, options.IdleSlack, options.IdleSlackShare));
    }

    private static List<SiloState> WithoutBusy(List<SiloState> silos, PlacementOptions options)
    {
        var most = Math.Max(options.QuietRequestsPerMinute, silos.Min(silo => silo.RequestsPerMinute) * options.BusyFactor);
        return silos.FindAll(silo => silo.RequestsPerMinute <= most);
    }

    private static bool IsNear(SiloState silo, TimeSpan best, TimeSpan slack, double share) => best - Age(silo) <= Max(slack, best * share);

    private static TimeSpan Max(TimeSpan first, TimeSpan second) => first > second ? first : second;

    /// <summary>A full silo without a loaded entry is full of loads: nothing there is old.</summary>
    private static TimeSpan Age(SiloState silo) => silo.OldestIdle ?? TimeSpan.Zero;

    private static bool IsPreferred(SiloState silo, PlacementRequest request) => request.Preferred.Any(silo.Labels.Contains);

    /// <summary>Why a silo cannot take the replica, or null.</summary>
    private static string? WhyNot(SiloState silo, PlacementRequest request)
    {
        if (silo.Draining)
        {
            return "draining";
        }

        if (request.Holders.Contains(silo.Silo))
        {
            return "holding a replica already";
        }

        if (request.Failed.Contains(silo.Silo))
        {
            return "where it failed to load lately";
        }

        if (request.Excluded.Contains(silo.Silo))
        {
            return "excluded";
        }

        if (request.Required.FirstOrDefault(label => !silo.Labels.Contains(label)) is { } missing)
        {
            return $"without the label '{missing}'";
        }

        if (request.Device is { } device && !silo.Devices.Contains(device))
        {
            return !silo.Devices.IsEmpty ? $"without OpenVINO's device '{device}'" : device == ProviderSettings.Cpu ? "without OpenVINO" : $"without OpenVINO and its device '{device}'";
        }

        return silo.Capacity < request.Bytes ? "smaller than the model" : null;
    }

    internal static string Explain(IReadOnlyCollection<SiloState> silos, PlacementRequest request)
    {
        var what = string.Create(CultureInfo.InvariantCulture, $"no silo can take model '{request.Model}' version {request.Version}, {request.Bytes} bytes");
        var counts = silos
            .GroupBy(silo => WhyNot(silo, request), StringComparer.Ordinal)
            .OrderByDescending(reason => reason.Count())
            .ThenBy(reason => reason.Key, StringComparer.Ordinal)
            .Select(reason => string.Create(CultureInfo.InvariantCulture, $"{reason.Count()} {reason.Key}"));
        return silos.Count == 0 ? $"{what}: none is known" : $"{what}: of {silos.Count.ToString(CultureInfo.InvariantCulture)} there are {string.Join(", ", counts)}";
    }
}
