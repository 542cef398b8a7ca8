namespace Cluster.Runtime;

/// <summary>The request to end an activation.</summary>
internal sealed record Ending(DeactivationReason Reason, CancellationToken Token);
