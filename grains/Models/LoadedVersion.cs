using System.Collections.Immutable;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Models;

/// <summary>A version that serves: its replicas, which are all loaded and of one content.</summary>
/// <param name="Replicas">By number, ascending; none where the version is loaded by its next request.</param>
/// <param name="Revision">What they are loaded from.</param>
/// <param name="SettingsRevision">What they are loaded with.</param>
/// <param name="Target">How many replicas the load asks for, at least 1; the model's bounds come on top.</param>
[GenerateSerializer, Immutable, Alias("loaded-version")]
public sealed record LoadedVersion(
    ImmutableArray<PlacedReplica> Replicas,
    [property: Id(1)] string Revision,
    [property: Id(2)] string SettingsRevision,
    [property: Id(3)] int Target = 1)
{
    /// <inheritdoc cref="LoadedVersion" path="/param[@name='Replicas']"/>
    [Id(4)]
    public ImmutableArray<PlacedReplica> Replicas { get; init; } = Replicas.IsDefault ? [] : Replicas;
}
