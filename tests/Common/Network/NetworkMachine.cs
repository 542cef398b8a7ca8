namespace Cluster.Tests.Common;

/// <summary>A network namespace with an address on the lab's bridge.</summary>
public sealed record NetworkMachine(string Name, string Address);
