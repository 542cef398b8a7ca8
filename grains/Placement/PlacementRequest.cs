using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Cache;

namespace Cluster.Grains.Placement;

/// <summary>A replica that wants a place.</summary>
public sealed record PlacementRequest
{
    public required string Model { get; init; }

    public required long Version { get; init; }

    /// <summary>Its predicted size.</summary>
    public required long Bytes { get; init; }

    /// <summary>Whether it is wanted because the replicas that there are have too much to do.</summary>
    public bool ForLoad { get; init; }

    /// <summary>Silos that hold a replica of this version, loaded or on its way.</summary>
    public ImmutableHashSet<SiloAddress> Holders { get; init; } = [];

    /// <summary>Silos where this version failed to load lately.</summary>
    public ImmutableHashSet<SiloAddress> Failed { get; init; } = [];

    /// <summary>Silos not to be asked for another reason, such as having refused a moment ago.</summary>
    public ImmutableHashSet<SiloAddress> Excluded { get; init; } = [];

    /// <summary>Labels that the silo must have, all of them.</summary>
    public ImmutableArray<string> Required { get; init; } = [];

    /// <summary>OpenVINO's kind of device that the silo must have; null where it need not have OpenVINO.</summary>
    public string? Device { get; init; }

    /// <summary>Labels of which the silo should have one.</summary>
    public ImmutableArray<string> Preferred { get; init; } = [];
}

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
