using System.Collections.Concurrent;

namespace Cluster.Runtime;

/// <summary>
/// Runs the turns of one activation, one at a time. It is the synchronization context of each turn, so that what follows
/// an await is a turn again.
/// <para>
/// Whoever changes <see cref="_busy"/> from 0 to 1 owns the activation and must leave by <see cref="Exit"/> or hand over to
/// the thread pool. The queue may only be non-empty and unowned between <see cref="Exit"/>'s two steps; an owner that finds
/// it so lets the queued turns go first.
/// </para>
/// </summary>
internal sealed class TurnQueue(Activation activation) : SynchronizationContext, IThreadPoolWorkItem
{
    // A busy activation gives its pool thread back after this many turns.
    private const int TurnsPerDrain = 32;

    private readonly ConcurrentQueue<Turn> _turns = new();
    private int _busy;

    public Activation Activation { get; } = activation;

    /// <summary>The activation whose turn this thread runs; null outside of turns.</summary>
    public static Activation? CurrentActivation => (Current as TurnQueue)?.Activation;

    public override void Post(SendOrPostCallback d, object? state) => Enqueue(new Turn(d, state));

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("an activation runs one turn at a time: post, do not send");

    public override SynchronizationContext CreateCopy() => this;

    public void Enqueue(Turn turn)
    {
        _turns.Enqueue(turn);
        Wake();
    }

    /// <summary>Makes the calling thread the owner if nothing runs and nothing waits.</summary>
    public bool TryEnter()
    {
        if (Interlocked.CompareExchange(ref _busy, 1, 0) != 0)
        {
            return false;
        }

        if (_turns.IsEmpty)
        {
            return true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return false;
    }

    /// <summary>Ends the ownership that <see cref="TryEnter"/> gave.</summary>
    public void Exit()
    {
        // A full fence: a turn enqueued before it is seen below, one enqueued after it wakes the queue itself.
        Interlocked.Exchange(ref _busy, 0);
        if (!_turns.IsEmpty)
        {
            Wake();
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        var clean = ExecutionContext.Capture();
        for (var i = 0; i < TurnsPerDrain && _turns.TryDequeue(out var turn); i++)
        {
            SetSynchronizationContext(this);
            Activation.RunTurn(turn);
            if (clean is not null)
            {
                ExecutionContext.Restore(clean);
            }
        }

        SetSynchronizationContext(null);
        if (_turns.IsEmpty)
        {
            Exit();
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private void Wake()
    {
        if (Interlocked.CompareExchange(ref _busy, 1, 0) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }
}
