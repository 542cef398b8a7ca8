using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>A call that waits for its answer from one connection.</summary>
internal sealed class OutgoingCall(OutgoingCalls calls, ulong id, GrainCall call) : ICallObserver
{
    private volatile bool _begun;
    private volatile bool _sent;
    private volatile bool _ended;

    public ulong Id { get; } = id;

    public GrainCall Call { get; } = call;

    /// <summary>Its frame was handed to the connection: it may be answered, also before its payloads have followed.</summary>
    public bool WasBegun => _begun;

    /// <summary>All of it was handed to the connection: the grain may run it.</summary>
    public bool WasSent => _sent;

    /// <summary>Nobody waits any more.</summary>
    public bool HasEnded => _ended;

    /// <summary>The silo was asked to place the grain: it was in no cache and directory.</summary>
    public bool MayPlace { get; init; }

    public void MarkBegun() => _begun = true;

    public void MarkSent() => _sent = true;

    public void OnSettled(GrainCall call)
    {
        // First, so that no chunk is sent behind the cancel frame.
        _ended = true;
        calls.OnCallerGone(this);
    }
}
