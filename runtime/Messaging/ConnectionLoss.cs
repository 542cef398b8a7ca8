namespace Cluster.Runtime;

/// <summary>A silo cannot be reached, or no longer.</summary>
/// <param name="Silo">The run of the silo that was meant.</param>
/// <param name="Reason">For people.</param>
public sealed record ConnectionLoss(SiloAddress Silo, ConnectionLossKind Kind, string Reason);
