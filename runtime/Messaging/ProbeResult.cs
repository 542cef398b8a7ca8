namespace Cluster.Runtime;

/// <summary>What a probe found.</summary>
/// <param name="RoundTrip">Zero unless it was answered.</param>
/// <param name="Reason">For people; empty if it was answered.</param>
public readonly record struct ProbeResult(ProbeOutcome Outcome, TimeSpan RoundTrip, string Reason);
