using System.Collections.Immutable;

namespace Cluster.Grains.Models;

/// <summary>A version that serves: its copies, which are all of one content.</summary>
/// <param name="Copies">
/// Their numbers, ascending, at least one. All are in memory, or there is only one: what is not in memory needs no second copy.
/// </param>
/// <param name="Revision">What they were loaded from.</param>
/// <param name="SettingsRevision">What they were loaded with.</param>
/// <param name="Target">How many copies the work asks for, at least 1; the model's bounds come on top.</param>
[GenerateSerializer, Immutable, Alias("loaded-version")]
public sealed record LoadedVersion(
    [property: Id(0)] ImmutableArray<int> Copies,
    [property: Id(1)] string Revision,
    [property: Id(2)] string SettingsRevision,
    [property: Id(3)] int Target = 1);
