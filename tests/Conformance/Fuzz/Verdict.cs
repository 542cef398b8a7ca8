namespace Cluster.Conformance.Fuzz;

/// <param name="Outcome">What came back, for the counts.</param>
/// <param name="Violation">What is wrong with it; null if nothing is.</param>
internal sealed record Verdict(string Outcome, string? Violation = null);
