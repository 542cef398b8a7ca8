namespace Cluster.ClusterTests.Support;

/// <summary>A network namespace with an address on the lab's bridge.</summary>
internal sealed record NetworkMachine(string Name, string Address);
