namespace Cluster.Contracts.Models;

/// <summary>What is known of a version that serves, without loading it.</summary>
/// <param name="Description">From its last load; null if it was not loaded yet.</param>
/// <param name="Statistics">Of its loads that have ended; null if there is none.</param>
[GenerateSerializer, Immutable, Alias("unloaded-copy")]
public sealed record UnloadedReplica([property: Id(0)] ModelDescription? Description, [property: Id(1)] ReplicaStatistics? Statistics);
