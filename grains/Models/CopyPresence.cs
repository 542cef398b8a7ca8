using Cluster.Contracts.Models;

namespace Cluster.Grains.Models;

/// <summary>Whether a copy is in memory, and what it told last.</summary>
/// <param name="Epoch">The load that it told of; 0 if it was not loaded yet.</param>
/// <param name="Past">What it did in the loads that have ended.</param>
[GenerateSerializer, Immutable, Alias("copy-presence")]
public sealed record CopyPresence(
    [property: Id(0)] int Copy,
    [property: Id(1)] long Epoch,
    [property: Id(2)] bool InMemory,
    [property: Id(3)] ModelDescription? Description = null,
    [property: Id(4)] CopyStatistics? Past = null);
