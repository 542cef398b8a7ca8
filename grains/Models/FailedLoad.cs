namespace Cluster.Grains.Models;

/// <summary>Content that did not load; it is not tried again until it, or the settings, change or somebody asks, or until <paramref name="RetryOn"/>.</summary>
[GenerateSerializer, Immutable, Alias("failed-load")]
public sealed record FailedLoad([property: Id(0)] string Revision, [property: Id(1)] string SettingsRevision, [property: Id(2)] string Reason, [property: Id(3)] DateTimeOffset? RetryOn = null);
