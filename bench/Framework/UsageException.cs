namespace Cluster.Bench.Framework;

/// <summary>The command line asks for something that does not exist; the process exits 64.</summary>
internal sealed class UsageException(string message) : Exception(message);
