using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;

namespace Cluster.Grains.Cluster;

/// <summary>What the policy of placement would say now of each silo, for one more replica of each version. Chooses and changes nothing.</summary>
internal sealed class PlacementAnswers(
    IRegistrations registrations, IServingStates states, PlacementRequests requests, SiloView silos, PlacementOptions options)
{
    public ImmutableArray<PlacementDescription> Explain(string model) =>
        registrations.TryGet(model, out var registration)
            ? [.. registration.Versions.OrderByDescending(static source => source.Version).Select(source => Explain(registration, source))]
            : [];

    private PlacementDescription Explain(ModelRegistration registration, ModelVersionSource source)
    {
        var version = states.TryGet(registration.Name, out var state) ? state.Versions.FirstOrDefault(candidate => candidate.Version == source.Version) : null;
        ImmutableArray<SiloAddress> holders = version is null ? [] : [.. version.Replicas.Concat(version.Arriving).Select(static replica => replica.Silo)];
        var request = requests.Of(registration, source, holders, version is null ? [] : version.FailedOn.Select(SiloAddress.FromParsableString));
        var all = silos.Active();
        ImmutableArray<SiloVerdict> verdicts = [.. PlacementPolicy.Judge(all, request, options)];
        var fitsNowhere = holders.IsEmpty && !verdicts.Any(static verdict => verdict.Fits);
        return new PlacementDescription(source.Version, request.Bytes, source.Problem ?? (fitsNowhere ? PlacementPolicy.Explain(all, request) : null), verdicts);
    }
}
