namespace Cluster.Runtime;

/// <summary>The answer to a hello.</summary>
/// <param name="Version">Of the protocol, where it is accepted.</param>
/// <param name="Reason">Why not, for people.</param>
internal sealed record Welcome(HandshakeResult Result, int Version, string Reason);
