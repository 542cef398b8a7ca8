namespace Cluster.Grains.Models;

/// <summary>Content that did not load. The model tries it again when it or the settings change, on request, or at <paramref name="RetryOn"/>.</summary>
[GenerateSerializer, Immutable, Alias("failed-load")]
public sealed record FailedLoad([property: Id(0)] string Revision, [property: Id(1)] string SettingsRevision, [property: Id(2)] string Reason, [property: Id(3)] DateTimeOffset? RetryOn = null, [property: Id(4)] bool NoSilo = false);
