namespace Cluster.Conformance.Support;

/// <summary>An output that a request names. Null members are not sent.</summary>
internal sealed record RequestedOutput(string Name, bool? Binary = null, long? Classification = null);
