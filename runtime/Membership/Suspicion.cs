namespace Cluster.Runtime;

/// <summary>A vote to remove a silo; it counts until it expires. <paramref name="At"/> is the table's clock.</summary>
internal sealed record Suspicion(SiloAddress By, DateTimeOffset At);
