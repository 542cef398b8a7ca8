using Cluster.Grains.Sessions;

namespace Cluster.Grains.Workers;

/// <summary>One thread that runs models, whichever work it is given.</summary>
internal sealed class InferenceThread : IDisposable
{
    [ThreadStatic]
    private static bool _yields;

    private readonly InferenceWorkers _owner;
    private readonly SemaphoreSlim _given = new(0);
    private readonly Thread _thread;
    private readonly TimeProvider _time;
    private IInferenceWork? _work;

    public InferenceThread(InferenceWorkers owner, WorkerLane lane, int number, TimeProvider time)
    {
        _owner = owner;
        _time = time;
        Lane = lane;
        _thread = new Thread(Run) { IsBackground = true, Name = $"inference {(lane.Yields ? "yielding " : "")}{number}" };
    }

    /// <summary>Whether the calling thread yields: it must not start threads, nor queue work to the thread pool, which may start some.</summary>
    public static bool IsYielding => _yields;

    /// <summary>The lane that it belongs to.</summary>
    public WorkerLane Lane { get; }

    /// <summary>The lane whose work it does. Guarded by the lock of its owner.</summary>
    public WorkerLane? Serves { get; set; }

    /// <exception cref="OutOfMemoryException">The system has no more threads.</exception>
    public void Start() => _thread.Start();

    /// <summary>Wakes the idle thread; null ends it.</summary>
    public void Give(IInferenceWork? work)
    {
        _work = work;
        _given.Release();
    }

    /// <summary>Waits for the thread's end.</summary>
    public void Dispose() => TryEnd(Timeout.InfiniteTimeSpan);

    /// <summary>As <see cref="Dispose"/>, for so long at most; false where the thread has not ended.</summary>
    public bool TryEnd(TimeSpan limit)
    {
        if (!_thread.Join(limit))
        {
            return false;
        }

        _given.Dispose();
        return true;
    }

    private void Run()
    {
        if (Lane.Yields)
        {
            // Where the system refuses it, the order of the work alone keeps the shares.
            _yields = ThreadNiceness.TryYield();
        }

        using var runner = new SessionRunner(_time);
        while (true)
        {
            _given.Wait();
            if (_work is not { } work)
            {
                return;
            }

            for (IInferenceWork? next = work; next is not null;)
            {
                if (!_owner.TryContinue(this, next.Execute(runner), out next))
                {
                    return;
                }
            }
        }
    }
}

/// <summary>A run. It must not throw: an inference thread has no caller to catch it.</summary>
internal interface IInferenceWork
{
    /// <summary>Of the replica that it is for.</summary>
    ProcessorShare Share { get; }

    /// <summary>Does it, and returns what became due through it, or null.</summary>
    IInferenceWork? Execute(SessionRunner runner);
}
