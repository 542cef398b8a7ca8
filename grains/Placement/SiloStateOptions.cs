using System.Collections.Immutable;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Placement;

/// <summary>What a silo says of itself.</summary>
public sealed class SiloStateOptions
{
    /// <summary>What the operator calls the silo. Default none.</summary>
    [SetBy("Cluster:Labels")]
    public ImmutableArray<string> Labels { get; set; } = [];

    /// <inheritdoc cref="SiloState.Version"/>
    [SetBy("")]
    public long Version { get; set; }
}
