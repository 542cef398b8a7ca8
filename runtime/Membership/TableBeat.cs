namespace Cluster.Runtime;

/// <summary>What the table answers to "I am alive": its version and life, and what it thinks of the silo (Dead if it has no row).</summary>
internal sealed record TableBeat(long Version, string Incarnation, SiloStatus Status);
