using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Models;

/// <summary>What became of a replica's load: one of the two is set.</summary>
/// <param name="Description">What was loaded.</param>
/// <param name="Failure">Why nothing was; <c>Moved</c>, <c>Full</c> and <c>LoadFailed</c> leave it to another silo.</param>
[GenerateSerializer, Immutable, Alias("replica-load")]
public sealed record ReplicaLoad([property: Id(0)] ModelDescription? Description, [property: Id(1)] Failure? Failure);
