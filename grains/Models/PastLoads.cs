using Cluster.Contracts.Models;

namespace Cluster.Grains.Models;

/// <summary>What is known of a version from its loads before.</summary>
/// <param name="Description">From its last load.</param>
/// <param name="Statistics">Of its replicas that have ended; null if none has.</param>
[GenerateSerializer, Immutable, Alias("past-loads")]
public sealed record PastLoads([property: Id(0)] ModelDescription? Description, [property: Id(1)] ReplicaStatistics? Statistics);
