using Cluster.Contracts.Nodes;

namespace Cluster.Gateway.Rest;

/// <summary>What placement thinks of each silo for each version of a model.</summary>
internal sealed record PlacementAnswer(string Model, IEnumerable<PlacementVersion> Versions)
{
    public static PlacementAnswer Of(string model, IEnumerable<PlacementDescription> versions) => new(model, versions.Select(PlacementVersion.Of));
}

/// <param name="Problem">Why the version is on no silo and none can take it; else left out.</param>
internal sealed record PlacementVersion(long Version, long Bytes, string? Problem, IEnumerable<PlacementSilo> Silos)
{
    public static PlacementVersion Of(PlacementDescription version) =>
        new(version.Version, version.Bytes, version.Problem, version.Silos.Select(static silo => new PlacementSilo(silo.Silo, silo.Fits, silo.IsCandidate, silo.Reason)));
}

internal sealed record PlacementSilo(string Silo, bool Fits, bool Candidate, string Reason);
