using System.Collections.Immutable;

namespace Cluster.Grains.Placement;

/// <summary>What a silo says of itself, and how often.</summary>
public sealed class SiloStateOptions
{
    /// <summary>What the operator calls the silo. Default none.</summary>
    public ImmutableArray<string> Labels { get; set; } = [];

    /// <inheritdoc cref="SiloState.Version"/>
    public long Version { get; set; }

    public PublishOptions Publish { get; set; } = new();
}
