using System.Diagnostics.CodeAnalysis;
using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// Which requests of an activation run and which wait: one at a time, but for those that interleave. Used in turns of the
/// activation only, so it needs no lock.
/// </summary>
internal sealed class RequestQueue(bool reentrant)
{
    private readonly Queue<GrainRequest> _waiting = new();
    private readonly Queue<GrainRequest> _waitingInterleaved = new();
    private GrainRequest? _blocking;

    /// <summary>Requests that have started and not ended. Read from other threads as a hint.</summary>
    public int Running { get; private set; }

    public bool IsIdle => Running == 0 && _waiting.Count == 0 && _waitingInterleaved.Count == 0;

    /// <summary>A request that just arrived may start: nothing blocks it and nothing that waits was there before it.</summary>
    public bool MayStart(GrainRequest request) => Interleaves(request) || (_blocking is null && _waiting.Count == 0);

    /// <summary>
    /// The request that blocks may wait for one that interleaves with it. False for all of a reentrant grain: nothing blocks there, and its requests would
    /// never cease.
    /// </summary>
    public bool MayBeWaitedFor(GrainRequest request) => _blocking is not null && request.Interleaves;

    public void Wait(GrainRequest request) => (Interleaves(request) ? _waitingInterleaved : _waiting).Enqueue(request);

    /// <summary>The next one that may start; those whose callers have gone are dropped.</summary>
    public bool TryTakeStartable([NotNullWhen(true)] out GrainRequest? request)
    {
        DropAbandoned(_waitingInterleaved);
        if (_waitingInterleaved.TryDequeue(out request))
        {
            return true;
        }

        if (_blocking is not null)
        {
            return false;
        }

        DropAbandoned(_waiting);
        return _waiting.TryDequeue(out request);
    }

    public bool HasStartable => _waitingInterleaved.Count > 0 || (_blocking is null && _waiting.Count > 0);

    /// <summary>It has started and goes on after this turn.</summary>
    public void Started(GrainRequest request)
    {
        Running++;
        if (!Interleaves(request))
        {
            _blocking = request;
        }
    }

    public void Ended(GrainRequest request)
    {
        Running--;
        if (ReferenceEquals(_blocking, request))
        {
            _blocking = null;
        }
    }

    /// <summary>Empties the queues.</summary>
    public List<GrainRequest> TakeWaiting()
    {
        List<GrainRequest> all = [.. _waiting, .. _waitingInterleaved];
        _waiting.Clear();
        _waitingInterleaved.Clear();
        return all;
    }

    private bool Interleaves(GrainRequest request) => reentrant || request.Interleaves;

    private static void DropAbandoned(Queue<GrainRequest> queue)
    {
        while (queue.TryPeek(out var head) && head.IsAbandoned)
        {
            queue.Dequeue();
        }
    }
}
