using Cluster.Contracts.Serving;

namespace Cluster.Unit.Serving;

/// <summary>Serving states in few words.</summary>
internal static class States
{
    public static ModelServingState Model(string name, params VersionServingState[] versions) => new(name, [.. versions], null);

    /// <summary>Replicas with these numbers, each on the silo of its number.</summary>
    public static VersionServingState Ready(long version, params int[] numbers) => new()
    {
        Version = version,
        State = ModelVersionState.Ready,
        Replicas = [.. (numbers.Length == 0 ? [0] : numbers).Select(number => new PlacedReplica(number, At(number)))],
    };

    public static SiloAddress At(int number) => SiloAddress.New(System.Net.IPAddress.Loopback, 2000 + number, 1);

    public static VersionServingState OnDemand(long version) => Ready(version) with { OnDemand = true, Replicas = [] };

    /// <summary>Replicas 0, 1… on these silos.</summary>
    public static VersionServingState Placed(long version, params SiloAddress[] silos) =>
        Ready(version) with { Replicas = [.. silos.Select((silo, number) => new PlacedReplica(number, silo))] };

    public static VersionServingState Loading(long version) =>
        new() { Version = version, State = ModelVersionState.Loading, Arriving = [new PlacedReplica(0, At(0))] };

    public static VersionServingState Unavailable(long version, string reason, bool failed = false) =>
        new() { Version = version, State = ModelVersionState.Unavailable, Reason = reason, Failed = failed };
}
