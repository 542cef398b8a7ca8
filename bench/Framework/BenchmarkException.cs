namespace Cluster.Bench.Framework;

/// <summary>The measurement cannot be made, and the message says why; the process exits 1.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
