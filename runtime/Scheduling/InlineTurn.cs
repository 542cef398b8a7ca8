namespace Cluster.Runtime;

/// <summary>
/// Makes the calling thread the runner of an idle activation's turn, and puts the caller's contexts back afterwards.
/// Nested calls are limited in depth so that a chain of grains cannot exhaust the stack.
/// </summary>
internal readonly ref struct InlineTurn
{
    private const int MaxDepth = 16;

    [ThreadStatic]
    private static int _depth;

    private readonly TurnQueue _queue;
    private readonly SynchronizationContext? _callersContext;
    private readonly ExecutionContext? _callersLocals;

    private InlineTurn(TurnQueue queue)
    {
        _queue = queue;
        _callersContext = SynchronizationContext.Current;
        _callersLocals = ExecutionContext.Capture();
        _depth++;
        SynchronizationContext.SetSynchronizationContext(queue);
    }

    public static bool TryBegin(TurnQueue queue, out InlineTurn turn)
    {
        if (_depth < MaxDepth && queue.TryEnter())
        {
            turn = new InlineTurn(queue);
            return true;
        }

        turn = default;
        return false;
    }

    public void End()
    {
        _depth--;
        SynchronizationContext.SetSynchronizationContext(_callersContext);

        // A grain method that is not async may have set async-local values; they are not the caller's.
        if (_callersLocals is not null && !ReferenceEquals(_callersLocals, ExecutionContext.Capture()))
        {
            ExecutionContext.Restore(_callersLocals);
        }

        _queue.Exit();
    }
}
