namespace Cluster.Runtime;

/// <summary>One silo in a snapshot of the membership.</summary>
public sealed record ClusterMember(SiloAddress SiloAddress, SiloStatus Status, string Name);
