namespace Cluster.Grains.Models;

/// <summary>A silo where a content failed to load: it is not tried there again for a while.</summary>
/// <param name="Silo">In the parsable form of its address.</param>
[GenerateSerializer, Immutable, Alias("silo-failure")]
public sealed record SiloFailure(
    [property: Id(0)] string Silo,
    [property: Id(1)] string Revision,
    [property: Id(2)] string SettingsRevision,
    [property: Id(3)] DateTimeOffset At);
