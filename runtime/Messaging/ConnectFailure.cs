namespace Cluster.Runtime;

/// <summary>Why there is no connection.</summary>
/// <param name="Outcome">What a probe would say of it; <see cref="ProbeOutcome.Alive"/>: the silo is there but will not have this connection.</param>
/// <param name="Reason">For people.</param>
internal sealed record ConnectFailure(ProbeOutcome Outcome, string Reason);
