using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Registry.Replicas;

/// <summary>A copy is where its model's serving state says.</summary>
internal sealed class PlacedCopyLocations(IServingStates states) : ICopyLocations
{
    public string LocationOf(ModelCopyId copy) =>
        states.TryGet(copy.Model, out var state)
            ? state.Versions.FirstOrDefault(version => version.Version == copy.Version)?.Placements.FirstOrDefault(place => place.Copy == copy.Copy)?.Silo ?? ""
            : "";
}
