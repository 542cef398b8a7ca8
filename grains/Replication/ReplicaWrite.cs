namespace Cluster.Grains.Replication;

/// <summary>How a compare-and-set ended.</summary>
/// <param name="Done">Whether it was written.</param>
/// <param name="Stored">What is stored now; <c>default</c> for no entry.</param>
public readonly record struct ReplicaWrite(bool Done, ReplicaVersion Stored);
