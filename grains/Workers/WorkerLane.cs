namespace Cluster.Grains.Workers;

/// <summary>Inference threads of one niceness, and the work that waits for them in its order. Guarded by the lock of its <see cref="InferenceWorkers"/>.</summary>
/// <param name="most">Threads that may work at once, at least 1.</param>
internal sealed class WorkerLane(InferenceWorkers owner, bool yields, int most)
{
    private readonly Queue<IInferenceWork> _waiting = [];
    private readonly Stack<InferenceThread> _idle = [];
    private readonly List<InferenceThread> _threads = [];
    private int _busy;

    /// <summary>Whether its threads leave the processors to others who want them.</summary>
    public bool Yields => yields;

    /// <summary>Whether as many threads work as may.</summary>
    public bool IsFull => _busy >= most;

    /// <summary>Whether work waits that a thread may do now.</summary>
    public bool IsDue => _waiting.Count > 0 && !IsFull;

    public IReadOnlyList<InferenceThread> Threads => _threads;

    public void Add(IInferenceWork work) => _waiting.Enqueue(work);

    /// <summary>Takes the work that waits longest for a thread, which is busy from here on.</summary>
    public IInferenceWork Take()
    {
        _busy++;
        return _waiting.Dequeue();
    }

    /// <summary>A thread for the taken work: the one that became idle last, as its caches are warm, or a new one.</summary>
    /// <exception cref="OutOfMemoryException">The system has no more threads.</exception>
    public InferenceThread RentThread()
    {
        if (_idle.TryPop(out var idle))
        {
            return idle;
        }

        var thread = new InferenceThread(owner, this, _threads.Count);
        owner.StartPromptly(thread);
        _threads.Add(thread);
        return thread;
    }

    /// <summary>What a thread did is done.</summary>
    public void Release() => _busy--;

    /// <summary>Its thread that does a work, or null.</summary>
    public InferenceThread? ThreadOf(IInferenceWork work) => _threads.Find(thread => thread.Does == work);

    public void MakeIdle(InferenceThread thread) => _idle.Push(thread);

    /// <summary>Ends the threads that are idle.</summary>
    public void EndIdle()
    {
        while (_idle.TryPop(out var idle))
        {
            idle.Give(null);
        }
    }
}

/// <summary>One thread that runs models, whichever work it is given.</summary>
internal sealed class InferenceThread : IDisposable
{
    [ThreadStatic]
    private static bool _yields;

    private readonly InferenceWorkers _owner;
    private readonly SemaphoreSlim _given = new(0);
    private readonly Thread _thread;
    private IInferenceWork? _work;

    public InferenceThread(InferenceWorkers owner, WorkerLane lane, int number)
    {
        _owner = owner;
        Lane = lane;
        _thread = new Thread(Run) { IsBackground = true, Name = $"inference {(lane.Yields ? "yielding " : "")}{number}" };
    }

    /// <summary>Whether the calling thread yields: it must not start threads, nor queue work to the thread pool, which may start some.</summary>
    public static bool IsYielding => _yields;

    /// <summary>The lane that it belongs to.</summary>
    public WorkerLane Lane { get; }

    /// <summary>The lane that it works for. Guarded by the lock of its owner.</summary>
    public WorkerLane? Serves { get; set; }

    /// <summary>What it does; null while it is idle, or replaced. Guarded by the lock of its owner.</summary>
    public IInferenceWork? Does { get; set; }

    /// <summary>Whether another does its part, as its work does not end. Guarded by the lock of its owner.</summary>
    public bool IsReplaced { get; set; }

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

        while (true)
        {
            _given.Wait();
            if (_work is not { } work)
            {
                return;
            }

            for (IInferenceWork? next = work; next is not null;)
            {
                if (!_owner.TryContinue(this, next.Execute(), out next))
                {
                    return;
                }
            }
        }
    }
}

/// <summary>What other threads are to do: none nearly always, so without an allocation.</summary>
internal struct StartedWork
{
    private (InferenceThread Thread, IInferenceWork Work)? _first;
    private List<(InferenceThread Thread, IInferenceWork Work)>? _more;

    public void Add(InferenceThread thread, IInferenceWork work)
    {
        if (_first is null)
        {
            _first = (thread, work);
        }
        else
        {
            (_more ??= []).Add((thread, work));
        }
    }

    /// <summary>Outside of the lock, which those that wake want.</summary>
    public readonly void Give()
    {
        _first?.Thread.Give(_first.Value.Work);
        _more?.ForEach(static one => one.Thread.Give(one.Work));
    }
}
