namespace Cluster.Runtime;

/// <summary>Whether a silo may join.</summary>
/// <param name="Next">The table with it; null if it may not.</param>
/// <param name="Refusal">Why it may not.</param>
internal sealed record JoinDecision(MembershipView? Next, string? Refusal);
