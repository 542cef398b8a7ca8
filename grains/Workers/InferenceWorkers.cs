using System.Collections.Concurrent;
using Cluster.Contracts.Inference;

namespace Cluster.Grains.Workers;

/// <summary>
/// The silo's own threads for running models, so that inference holds no thread-pool thread that the network needs. Runs that are shorter than the way
/// to another thread stay where they are. Threads start when they are first needed. Work beyond the threads waits in the order it came.
/// Threads that yield to the others' do the work of a replica that takes more than its fair share of the processors.
/// </summary>
public sealed class InferenceWorkers : IDisposable
{
    /// <summary>Work of replicas within their share that may pass work that waits for a yielding thread, until one of that is done.</summary>
    private const int MostPassed = 8;

    private readonly Lock _gate = new();
    private readonly object _runsEnded = new();
    private readonly WorkerLane _prompt;
    private readonly WorkerLane _yielding;
    private readonly ConcurrentDictionary<ReplicaQueue, string> _queues = [];
    private readonly ProcessorShares _shares;
    private readonly TimeProvider _time;
    private readonly int _limit;
    private PromptThread? _promptly;
    private int _busy;
    private int _passed;
    private int _running;
    private bool _runsAreAwaited;
    private bool _stopping;

    /// <param name="options">Validated.</param>
    /// <param name="time">Clock of the measured times.</param>
    public InferenceWorkers(InferenceOptions options, TimeProvider time)
        : this(options, time, Environment.ProcessorCount)
    {
    }

    /// <param name="processors">To share among replicas, at least 1.</param>
    internal InferenceWorkers(InferenceOptions options, TimeProvider time, int processors)
    {
        _time = time;
        _limit = options.Threads > 0 ? options.Threads : Math.Max(8, 4 * processors);
        _shares = new ProcessorShares(time, processors);
        _prompt = new WorkerLane(this, yields: false, _limit);

        // As many as there are processors: more runs at once of one replica would only wait for each other, and keep threads from the rest.
        _yielding = new WorkerLane(this, yields: true, Math.Min(processors, Math.Max(1, _limit - 1)));
    }

    /// <summary>What has a run under way, each as "MODEL version N", in order.</summary>
    public IReadOnlyList<string> Running => [.. _queues.Where(static queue => queue.Key.Running > 0).Select(static queue => queue.Value).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>A queue whose runs count for <see cref="Running"/>.</summary>
    /// <param name="name">Of what it runs.</param>
    internal void Enter(ReplicaQueue queue, string name) => _queues[queue] = name;

    /// <summary>A queue that runs nothing any more. A second call does nothing.</summary>
    internal void Leave(ReplicaQueue queue) => _queues.TryRemove(queue, out _);

    /// <summary>The share of a new replica.</summary>
    internal ProcessorShare CreateShare() => _shares.Create();

    /// <summary>Has <paramref name="work"/> done by an inference thread.</summary>
    internal void Submit(IInferenceWork work) => ObjectDisposedException.ThrowIf(!TrySubmit(work), this);

    /// <summary>Does <paramref name="action"/>, which queues work to the thread pool: here, or on a thread that does not yield.</summary>
    internal void DoPromptly(Action action)
    {
        if (InferenceThread.IsYielding)
        {
            _promptly!.Post(action);
        }
        else
        {
            action();
        }
    }

    /// <summary>Answers the caller of <paramref name="job"/>, who goes on on the thread pool.</summary>
    internal void Answer(InferenceJob job, InferReply reply)
    {
        // Without an allocation in the common case.
        if (InferenceThread.IsYielding)
        {
            DoPromptly(() => job.Complete(reply));
        }
        else
        {
            job.Complete(reply);
        }
    }

    /// <summary>Starts a thread that is as nice as its lane has it. Called with the lock held.</summary>
    /// <exception cref="OutOfMemoryException">The system has no more threads.</exception>
    internal void StartPromptly(InferenceThread thread)
    {
        if (!InferenceThread.IsYielding)
        {
            // The first that yields is started by one that does not.
            _promptly ??= thread.Lane.Yields ? new PromptThread() : null;
            thread.Start();
            return;
        }

        var started = new TaskCompletionSource();
        _promptly!.Post(() =>
        {
            try
            {
                thread.Start();
                started.SetResult();
            }
            catch (OutOfMemoryException exception)
            {
                started.SetException(exception);
            }
        });
        started.Task.GetAwaiter().GetResult();
    }

    /// <summary>Counts a run of any model of the silo; <see cref="RunEnds"/> follows.</summary>
    /// <returns>Runs under way, this one included.</returns>
    internal int RunBegins() => Interlocked.Increment(ref _running);

    internal void RunEnds()
    {
        // The waiter says so before it looks at the count: one of both sees the other.
        if (Interlocked.Decrement(ref _running) == 0 && Volatile.Read(ref _runsAreAwaited))
        {
            lock (_runsEnded)
            {
                Monitor.PulseAll(_runsEnded);
            }
        }
    }

    /// <summary>As <see cref="Submit"/>; false where the threads end.</summary>
    internal bool TrySubmit(IInferenceWork work)
    {
        InferenceThread thread;
        lock (_gate)
        {
            if (_stopping)
            {
                return false;
            }

            var lane = LaneOf(work);
            if (_busy >= _limit || lane.IsFull)
            {
                lane.Add(work);
                return true;
            }

            // Nothing of the lane waits. The thread comes first: one that cannot be started must leave no work behind.
            thread = lane.RentThread();
            lane.Add(work);
            work = Take(lane, thread);
        }

        thread.Give(work);
        return true;
    }

    /// <summary>Does <paramref name="work"/> on the calling thread; what becomes due through it is an inference thread's, if there is still one to be had.</summary>
    internal void RunHere(IInferenceWork work)
    {
        for (var next = work.Execute(); next is not null && !TrySubmit(next);)
        {
            next = next.Execute();
        }
    }

    /// <summary>Ends the threads once they are idle. Nothing may be submitted afterwards; what waits is still done.</summary>
    public void Dispose() => TryEndThreads(Timeout.InfiniteTimeSpan, _time.GetTimestamp());

    /// <summary>As <see cref="Dispose"/>, and waits for the runs on callers' own threads too, but for none longer than <paramref name="limit"/>.</summary>
    /// <returns>False where one has not ended.</returns>
    public bool TryEnd(TimeSpan limit)
    {
        var start = _time.GetTimestamp();
        return TryEndThreads(limit, start) && TryAwaitRuns(limit, start);
    }

    private bool TryEndThreads(TimeSpan limit, long start)
    {
        lock (_gate)
        {
            _stopping = true;
            _prompt.EndIdle();
            _yielding.EndIdle();
        }

        // While work waits, the threads of one lane may still start those of the other.
        List<InferenceThread> threads = [];
        int ended;
        do
        {
            ended = threads.Count;
            lock (_gate)
            {
                threads = [.. _prompt.Threads, .. _yielding.Threads];
            }

            if (!threads.TrueForAll(thread => HasEnded(thread, limit, start)))
            {
                return false;
            }
        }
        while (threads.Count > ended);

        _promptly?.Dispose();
        return true;
    }

    private bool TryAwaitRuns(TimeSpan limit, long start)
    {
        lock (_runsEnded)
        {
            Volatile.Write(ref _runsAreAwaited, true);
            Interlocked.MemoryBarrier();
            while (Volatile.Read(ref _running) > 0)
            {
                if (!Monitor.Wait(_runsEnded, Left(limit, start)))
                {
                    return Volatile.Read(ref _running) == 0;
                }
            }
        }

        return true;
    }

    /// <summary>Of <paramref name="limit"/>, at least zero.</summary>
    private TimeSpan Left(TimeSpan limit, long start)
    {
        var left = limit - _time.GetElapsedTime(start);
        return limit == Timeout.InfiniteTimeSpan ? limit : left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private bool HasEnded(InferenceThread thread, TimeSpan limit, long start)
    {
        if (thread.TryEnd(Left(limit, start)))
        {
            return true;
        }

        lock (_gate)
        {
            if (_busy > 0 || thread.IsReplaced)
            {
                return false;
            }
        }

        // Idle threads are about to end.
        thread.Dispose();
        return true;
    }

    /// <summary>The next work of a thread that has done its own: the due work, with the thread's follow-up behind it, or null to be idle.</summary>
    /// <returns>False where it ends.</returns>
    internal bool TryContinue(InferenceThread thread, IInferenceWork? followUp, out IInferenceWork? next)
    {
        var started = new StartedWork();
        bool ends;
        lock (_gate)
        {
            if (!thread.IsReplaced)
            {
                Free(thread);
            }

            if (followUp is not null)
            {
                LaneOf(followUp).Add(followUp);
            }

            next = StartWaiting(thread.IsReplaced ? null : thread, ref started);
            ends = thread.IsReplaced || (_stopping && next is null);
            if (next is null && !ends)
            {
                thread.Lane.MakeIdle(thread);
            }
        }

        started.Give();
        return !ends;
    }

    /// <summary>Another thread takes the place of the one that does <paramref name="work"/>, which ends once it has done it. Nothing happens where it runs on its caller's own thread.</summary>
    internal void Replace(IInferenceWork work)
    {
        var started = new StartedWork();
        lock (_gate)
        {
            if ((_prompt.ThreadOf(work) ?? _yielding.ThreadOf(work)) is not { } thread)
            {
                return;
            }

            thread.IsReplaced = true;
            Free(thread);
            StartWaiting(free: null, ref started);
        }

        started.Give();
    }

    private void Free(InferenceThread thread)
    {
        _busy--;
        thread.Does = null;
        thread.Serves!.Release();
    }

    /// <summary>Has threads do what waits and may be done.</summary>
    /// <param name="free">A thread without work, null for none.</param>
    /// <returns>What that one does next, or null.</returns>
    private IInferenceWork? StartWaiting(InferenceThread? free, ref StartedWork started)
    {
        IInferenceWork? next = null;
        while (NextLane() is { } lane && ThreadOf(lane, next is null ? free : null) is { } thread)
        {
            var work = Take(lane, thread);
            if (thread == free)
            {
                next = work;
            }
            else
            {
                started.Add(thread, work);
            }
        }

        return next;
    }

    private WorkerLane LaneOf(IInferenceWork work) => work.Share.IsOverdrawn ? _yielding : _prompt;

    /// <summary>The lane whose work is to be done next, if a thread may do any.</summary>
    private WorkerLane? NextLane()
    {
        if (_busy >= _limit)
        {
            return null;
        }

        return _prompt.IsDue && !(_yielding.IsDue && _passed >= MostPassed) ? _prompt
            : _yielding.IsDue ? _yielding
            : null;
    }

    /// <summary>
    /// A thread for the next work of <paramref name="lane"/>. It is <paramref name="free"/> (null where that has work) if that belongs to the lane, or if no other starts.
    /// </summary>
    /// <returns>Null where there is none: the work waits for a thread that gets done.</returns>
    private static InferenceThread? ThreadOf(WorkerLane lane, InferenceThread? free)
    {
        if (lane == free?.Lane)
        {
            return free;
        }

        try
        {
            return lane.RentThread();
        }
        catch (OutOfMemoryException)
        {
            // What the runtime throws when the system has no more threads. The work is done at another niceness then.
            return free;
        }
    }

    private IInferenceWork Take(WorkerLane lane, InferenceThread thread)
    {
        _busy++;
        thread.Serves = lane;
        var work = thread.Does = lane.Take();
        _passed = lane.Yields || !_yielding.IsDue ? 0 : _passed + 1;
        return work;
    }
}

/// <summary>A run. It must not throw: an inference thread has no caller to catch it.</summary>
internal interface IInferenceWork
{
    /// <summary>Of the replica that it is for.</summary>
    ProcessorShare Share { get; }

    /// <summary>Timestamp of the moment from which a thread does it; null before. Read by any thread.</summary>
    long? Began { get; }

    /// <summary>Does it, and returns what became due through it, or null.</summary>
    IInferenceWork? Execute();
}
