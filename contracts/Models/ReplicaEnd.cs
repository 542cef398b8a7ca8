namespace Cluster.Contracts.Models;

/// <summary>What a replica tells its model when it has ended.</summary>
/// <param name="Statistics">What it did while it was loaded.</param>
[GenerateSerializer, Immutable, Alias("replica-end")]
public sealed record ReplicaEnd([property: Id(0)] ModelReplicaId Replica, [property: Id(1)] ReplicaStatistics Statistics);
