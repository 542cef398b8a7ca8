using Cluster.Contracts.Models;

namespace Cluster.Grains.Models;

/// <summary>Whether a copy is in memory and where, and what it told last.</summary>
/// <param name="Epoch">The load that it told of; 0 if it was not loaded yet.</param>
/// <param name="Past">What it did in the loads that have ended.</param>
/// <param name="Silo">Where it was loaded last, in the parsable form of the silo's address; null if it was not loaded yet.</param>
/// <param name="Revision">The content of that load.</param>
/// <param name="SettingsRevision">Its settings.</param>
[GenerateSerializer, Immutable, Alias("copy-presence")]
public sealed record CopyPresence(
    [property: Id(0)] int Copy,
    [property: Id(1)] long Epoch,
    [property: Id(2)] bool InMemory,
    [property: Id(3)] ModelDescription? Description = null,
    [property: Id(4)] CopyStatistics? Past = null,
    [property: Id(5)] string? Silo = null,
    [property: Id(6)] string Revision = "",
    [property: Id(7)] string SettingsRevision = "");
