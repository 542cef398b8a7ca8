namespace Cluster.Grains.Models;

/// <summary>A copy that serves, and what it was loaded from.</summary>
[GenerateSerializer, Immutable, Alias("loaded-copy")]
public sealed record LoadedCopy([property: Id(0)] int Copy, [property: Id(1)] string Revision, [property: Id(2)] string SettingsRevision);
