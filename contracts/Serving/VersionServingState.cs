using System.Collections.Immutable;

namespace Cluster.Contracts.Serving;

/// <summary>What a gateway must know of one version to route to it and to report it.</summary>
/// <param name="Version">At least 1.</param>
/// <param name="State">A version that serves stays <see cref="ModelVersionState.Ready"/> while its replacement loads.</param>
/// <param name="Reason">Why it is not ready, or why its newest content is not the one that serves; empty if there is nothing to say.</param>
/// <param name="Copies">Numbers of the copies that take requests; a loading version names the copy that will.</param>
[GenerateSerializer, Immutable, Alias("version-serving-state")]
public sealed record VersionServingState(
    [property: Id(0)] long Version,
    [property: Id(1)] ModelVersionState State,
    [property: Id(2)] string Reason,
    [property: Id(3)] ImmutableArray<int> Copies);
