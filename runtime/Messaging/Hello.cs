namespace Cluster.Runtime;

/// <summary>The first thing on a connection, from the process that made it.</summary>
/// <param name="MinVersion">Of the protocol that it speaks.</param>
/// <param name="Silo">Itself.</param>
/// <param name="Target">Whom it means.</param>
internal sealed record Hello(int MinVersion, int MaxVersion, PeerRole Role, string ClusterId, SiloAddress Silo, SiloAddress Target);
