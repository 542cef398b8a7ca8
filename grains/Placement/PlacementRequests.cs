using Cluster.Contracts.Models;
using Cluster.Grains.Cache;

namespace Cluster.Grains.Placement;

/// <summary>Says what a replica needs of a silo. Safe from any thread.</summary>
internal sealed class PlacementRequests(IRegistrations registrations, ReplicaCache cache)
{
    /// <summary>What a replica will take, in bytes; null for a version that is not known here.</summary>
    public long? BytesOf(string model, long version) =>
        registrations.TryGet(model, out var registration) && registration.Versions.FirstOrDefault(source => source.Version == version) is { } source
            ? cache.Predict(model, source)
            : null;

    /// <param name="holders">Silos that hold a replica.</param>
    /// <param name="failedOn">Silos where the content failed.</param>
    public PlacementRequest Of(
        ModelRegistration registration, ModelVersionSource source, IEnumerable<SiloAddress> holders, IEnumerable<SiloAddress> failedOn) => new()
    {
        Model = registration.Name,
        Version = source.Version,
        Bytes = cache.Predict(registration.Name, source),
        Holders = [.. holders],
        Failed = [.. failedOn],
        Required = registration.Settings.RequiredLabels,
        Device = registration.Settings.ExecutionProvider == ExecutionProvider.OpenVino ? registration.Settings.ProviderOptions.DeviceKind : null,
        Preferred = registration.Settings.PreferredLabels,
    };
}
