using Cluster.Contracts.Serving;

namespace Cluster.Unit.Serving;

/// <summary>Serving states in few words.</summary>
internal static class States
{
    public static ModelServingState Model(string name, params VersionServingState[] versions) => new(name, [.. versions], null);

    public static VersionServingState Ready(long version, params int[] copies) =>
        new() { Version = version, State = ModelVersionState.Ready, Copies = [.. copies.Length == 0 ? [0] : copies] };

    /// <summary>Copies 0, 1… on these silos.</summary>
    public static VersionServingState Placed(long version, params SiloAddress[] silos) => Ready(version, [.. Enumerable.Range(0, silos.Length)]) with
    {
        Placements = [.. silos.Select((silo, copy) => new CopyPlacement(copy, silo.ToParsableString(), 1))],
    };

    public static VersionServingState Loading(long version) => new() { Version = version, State = ModelVersionState.Loading, Copies = [0] };

    public static VersionServingState Unavailable(long version, string reason, bool failed = false) =>
        new() { Version = version, State = ModelVersionState.Unavailable, Reason = reason, Failed = failed };
}
