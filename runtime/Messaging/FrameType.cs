namespace Cluster.Runtime;

/// <summary>What a frame is. The numbers are part of the protocol.</summary>
internal enum FrameType : byte
{
    /// <summary>Asks for a grain method; the identifier is the caller's.</summary>
    Call = 1,

    /// <summary>Answers a call, in whatever order; its flag is a <see cref="ResponseKind"/>.</summary>
    Response = 2,

    /// <summary>The next bytes of the payloads of a call (flag 0) or a response (flag 1) whose frame came before.</summary>
    Chunk = 3,

    /// <summary>The caller no longer waits, and no chunk of the call follows.</summary>
    Cancel = 4,

    /// <summary>Asks for a sign of life.</summary>
    Probe = 5,

    /// <summary>Answers a probe (flag 0), or tells what the probe of another silo found.</summary>
    ProbeAnswer = 6,

    /// <summary>The sender stops: it takes no further calls, answers those that it has, and closes.</summary>
    Goodbye = 7,

    /// <summary>Asks to probe another silo; the answer's flag is the <see cref="ProbeOutcome"/>.</summary>
    ProbeRequest = 8,
}
