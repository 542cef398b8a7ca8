using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Cache;

namespace Cluster.Grains.Placement;

/// <summary>Says what a copy needs of a silo, from what this process knows of its model. Safe from any thread.</summary>
internal sealed class PlacementRequests(IServingStates states, IRegistrations registrations, CopyCache cache)
{
    /// <summary>Null for a copy of a model or version that is not known here.</summary>
    public PlacementRequest? Of(ModelCopyId id)
    {
        if (!registrations.TryGet(id.Model, out var registration)
            || registration.Versions.FirstOrDefault(source => source.Version == id.Version) is not { } source)
        {
            return null;
        }

        states.TryGet(id.Model, out var state);
        var known = state?.Versions.FirstOrDefault(version => version.Version == id.Version);
        ImmutableArray<CopyPlacement> others = [.. (known?.Placements ?? []).Where(placement => placement.Copy != id.Copy)];
        return Of(registration, source, others.Select(static placement => placement.Silo), known?.FailedOn ?? []) with
        {
            ForLoad = !others.IsEmpty && known!.Arriving.Contains(id.Copy),
        };
    }

    /// <param name="holders">Silos that hold a copy, in the parsable form of their addresses.</param>
    /// <param name="failedOn">Silos where the content failed.</param>
    public PlacementRequest Of(ModelRegistration registration, ModelVersionSource source, IEnumerable<string> holders, IEnumerable<string> failedOn) => new()
    {
        Model = registration.Name,
        Version = source.Version,
        Bytes = cache.Predict(registration.Name, source),
        Holders = [.. holders.Select(SiloAddress.FromParsableString)],
        Failed = [.. failedOn.Select(SiloAddress.FromParsableString)],
        Required = registration.Settings.RequiredLabels,
        Preferred = registration.Settings.PreferredLabels,
    };
}
