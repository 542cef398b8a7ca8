namespace Cluster.Bench.Load;

/// <summary>One request of an open loop.</summary>
/// <param name="Due">When it was to be sent, since the loop began.</param>
/// <param name="Wait">From then to its answer.</param>
/// <param name="Failure">Null for a right answer.</param>
internal sealed record OpenRequest(string Model, TimeSpan Due, TimeSpan Wait, string? Failure);
