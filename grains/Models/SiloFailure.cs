namespace Cluster.Grains.Models;

/// <summary>A silo where a content failed to load: it is not tried there again for a while.</summary>
[GenerateSerializer, Immutable, Alias("silo-failure")]
public sealed record SiloFailure(
    [property: Id(0)] SiloAddress Silo,
    [property: Id(1)] string Revision,
    [property: Id(2)] string SettingsRevision,
    [property: Id(3)] DateTimeOffset At);
