using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;

namespace Cluster.Grains.Cluster;

/// <summary>Chooses what to load ahead of its next request. Pure.</summary>
internal static class LoadAhead
{
    /// <summary>Versions that are not in memory, most recently used first, as far as they fit into a share of the free space above a reserve.</summary>
    /// <param name="bytes">What a replica will take; null if that is not known.</param>
    public static ImmutableArray<(string Model, long Version)> Choose(
        IEnumerable<ModelServingState> states, IReadOnlyCollection<SiloState> silos, Func<string, long, long?> bytes, ClusterOptions options)
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
