using System.Collections.Immutable;

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
