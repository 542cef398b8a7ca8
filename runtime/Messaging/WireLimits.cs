namespace Cluster.Runtime;

/// <summary>The sizes that both ends of a connection agree on. Changing one is a new protocol version.</summary>
internal static class WireLimits
{
    /// <summary>The versions of the protocol that this build speaks.</summary>
    public const int MinVersion = 1;

    public const int MaxVersion = 1;

    /// <summary>How long one silo may ask another to probe a third.</summary>
    public static readonly TimeSpan MaxProbeTimeout = TimeSpan.FromMinutes(1);

    /// <summary>Bytes of a hello or a welcome: addresses, a cluster identity and a reason need far less.</summary>
    public const int MaxHandshakeLength = 1024;

    /// <summary>Bytes of a frame's body, which holds everything but payloads: room for tens of thousands of registrations.</summary>
    public const int MaxBodyLength = 16 << 20;

    /// <summary>Payloads of one message.</summary>
    public const int MaxSegments = 64;

    /// <summary>A payload up to this size is copied into the frame: cheaper than a chunk of its own.</summary>
    public const int MaxInlineSegment = 16 << 10;

    /// <summary>Bytes of a chunk: what a small call may have to wait for, about 0.2 ms on a local network of 10 Gbit/s.</summary>
    public const int MaxChunkLength = 256 << 10;
}
