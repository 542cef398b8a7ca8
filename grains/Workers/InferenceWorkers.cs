using System.Collections.Concurrent;
using Cluster.Grains.Sessions;

namespace Cluster.Grains.Workers;

/// <summary>
/// The silo's own threads for running models, so that inference holds no thread-pool thread that the network needs. Runs that are shorter than the way
/// to another thread stay where they are. Threads start when they are first needed; the one that became idle last is used first, its caches being warm.
/// Work beyond the threads waits in the order it came.
/// </summary>
public sealed class InferenceWorkers : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<IInferenceWork> _overflow = [];
    private readonly Stack<Worker> _idle = [];
    private readonly List<Worker> _workers = [];
    private readonly ConcurrentBag<SessionRunner> _runners = [];
    private readonly TimeProvider _time;
    private readonly int _limit;
    private int _running;
    private bool _stopping;

    /// <param name="options">Validated.</param>
    /// <param name="time">Clock of the measured times.</param>
    public InferenceWorkers(InferenceOptions options, TimeProvider time)
    {
        _time = time;
        _limit = options.Threads > 0 ? options.Threads : Math.Max(8, 4 * Environment.ProcessorCount);
    }

    /// <summary>Has <paramref name="work"/> done by an inference thread.</summary>
    internal void Submit(IInferenceWork work) => ObjectDisposedException.ThrowIf(!TrySubmit(work), this);

    /// <summary>Counts a run of any model of the silo; <see cref="RunEnds"/> follows.</summary>
    /// <returns>Runs under way, this one included.</returns>
    internal int RunBegins() => Interlocked.Increment(ref _running);

    internal void RunEnds() => Interlocked.Decrement(ref _running);

    /// <summary>As <see cref="Submit"/>; false where the threads end.</summary>
    internal bool TrySubmit(IInferenceWork work)
    {
        Worker worker;
        lock (_gate)
        {
            if (_stopping)
            {
                return false;
            }

            if (_idle.TryPop(out var idle))
            {
                worker = idle;
            }
            else if (_workers.Count < _limit)
            {
                worker = new Worker(this, _workers.Count, _time);
                _workers.Add(worker);
            }
            else
            {
                _overflow.Enqueue(work);
                return true;
            }
        }

        worker.Give(work);
        return true;
    }

    /// <summary>What <see cref="RunHere"/> needs, taken before there is work that must not be lost.</summary>
    internal SessionRunner RentRunner() => _runners.TryTake(out var runner) ? runner : new SessionRunner(_time);

    /// <summary>Does <paramref name="work"/> on the calling thread; what becomes due through it is an inference thread's, if there is still one to be had.</summary>
    /// <param name="runner">Rented; given back here.</param>
    internal void RunHere(SessionRunner runner, IInferenceWork work)
    {
        for (var next = work.Execute(runner); next is not null && !TrySubmit(next);)
        {
            next = next.Execute(runner);
        }

        // Back before the look: whichever is later, this or the end, disposes of it.
        _runners.Add(runner);
        if (Volatile.Read(ref _stopping))
        {
            DisposeRunners();
        }
    }

    /// <summary>Ends the threads once they are idle. Nothing may be submitted afterwards; what waits is still done.</summary>
    public void Dispose()
    {
        List<Worker> workers;
        lock (_gate)
        {
            _stopping = true;
            workers = [.. _workers];
            while (_idle.TryPop(out var idle))
            {
                idle.Give(null);
            }
        }

        foreach (var worker in workers)
        {
            worker.Dispose();
        }

        DisposeRunners();
    }

    private void DisposeRunners()
    {
        while (_runners.TryTake(out var runner))
        {
            runner.Dispose();
        }
    }

    /// <summary>What a worker that finished does next: the longest waiting work, its own follow-up if nothing waits, or null to be idle.</summary>
    private bool TryContinue(Worker worker, IInferenceWork? followUp, out IInferenceWork? next)
    {
        lock (_gate)
        {
            if (_overflow.Count == 0)
            {
                next = followUp;
                if (next is null && !_stopping)
                {
                    _idle.Push(worker);
                }

                return next is not null || !_stopping;
            }

            if (followUp is not null)
            {
                _overflow.Enqueue(followUp);
            }

            next = _overflow.Dequeue();
            return true;
        }
    }

    private sealed class Worker : IDisposable
    {
        private readonly InferenceWorkers _owner;
        private readonly SemaphoreSlim _given = new(0);
        private readonly Thread _thread;
        private readonly TimeProvider _time;
        private IInferenceWork? _work;

        public Worker(InferenceWorkers owner, int number, TimeProvider time)
        {
            _owner = owner;
            _time = time;
            _thread = new Thread(Run) { IsBackground = true, Name = $"inference {number}" };
            _thread.Start();
        }

        /// <summary>Wakes the idle worker; null ends it.</summary>
        public void Give(IInferenceWork? work)
        {
            _work = work;
            _given.Release();
        }

        /// <summary>Waits for the thread's end.</summary>
        public void Dispose()
        {
            _thread.Join();
            _given.Dispose();
        }

        private void Run()
        {
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
}

/// <summary>A run. It must not throw: an inference thread has no caller to catch it.</summary>
internal interface IInferenceWork
{
    /// <summary>Does it, and returns what became due through it, or null.</summary>
    IInferenceWork? Execute(SessionRunner runner);
}
