namespace Cluster.Contracts.Models;

/// <summary>A load on demand that failed.</summary>
/// <param name="Revision">The content that did not load.</param>
/// <param name="SettingsRevision">The settings that it was loaded with.</param>
/// <param name="Reason">Without model and version.</param>
[GenerateSerializer, Immutable, Alias("copy-failure")]
public sealed record CopyFailure(
    [property: Id(0)] ModelCopyId Copy,
    [property: Id(1)] string Revision,
    [property: Id(2)] string SettingsRevision,
    [property: Id(3)] string Reason);
