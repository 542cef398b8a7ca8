namespace Cluster.Gateway.Grpc;

/// <summary>
/// Chooses how many bytes (0 to 7) to leave free in front of a message, so that what matters in it lands on a multiple of 8.
/// </summary>
/// <param name="firstBytes">The message's start: the whole message or at least its first 512 bytes.</param>
public delegate int LeadingPadding(ReadOnlySpan<byte> firstBytes);
