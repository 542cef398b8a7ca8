using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Logging;
using Cluster.Grains.Metrics;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Workers;

/// <summary>
/// Admission to one replica. As many requests run at once as the model allows. Others wait in a bounded queue by priority, shared between callers, and may run together. A request
/// that would miss its deadline anyway is refused early. Safe from any thread.
/// </summary>
internal sealed class ReplicaQueue
{
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly WaitingLine _waiting;
    private readonly ITimer? _timer;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IQueuedModel _model;
    private readonly InferenceWorkers _workers;
    private readonly ReplicaStatisticsRecorder _statistics;
    private readonly ReplicaMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CauseLimiter _errors;
    private readonly int _limit;
    private readonly QueueAdmission _admission;
    private readonly bool _readsFacts;
    private readonly SlotTimes _slots = new();
    private bool _draining;

    /// <param name="limit">Requests that may wait.</param>
    /// <param name="longestWait">Expected wait above which a request is refused; null for none.</param>
    public ReplicaQueue(
        IQueuedModel model,
        int limit,
        TimeSpan? longestWait,
        InferenceWorkers workers,
        ReplicaStatisticsRecorder statistics,
        ReplicaMetrics metrics,
        TimeProvider time,
        ILogger logger)
    {
        _model = model;
        _limit = limit;
        _workers = workers;
        _statistics = statistics;
        _metrics = metrics;
        _time = time;
        _waiting = new WaitingLine(model.Levels);
        _readsFacts = model.Levels > 1 || model.Batching.IsOn;
        _timer = model.Batching.MaxDelay > TimeSpan.Zero
            ? time.CreateTimer(static queue => ((ReplicaQueue)queue!).StartWaiting(isPatient: true), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan)
            : null;
        Share = workers.CreateShare();
        Watch = new RunWatch(this, _slots, _gate, logger);
        _admission = new QueueAdmission(this, _waiting, _slots, limit, longestWait);
        _logger = logger;
        _errors = new CauseLimiter(time);
        workers.Enter(this, $"{model.Name} version {model.Version}");
    }

    public IQueuedModel Model => _model;

    public InferenceWorkers Workers => _workers;

    public ReplicaStatisticsRecorder Statistics => _statistics;

    public ReplicaMetrics Metrics => _metrics;

    public TimeProvider Time => _time;

    /// <summary>What the replica has used of the silo's processors.</summary>
    public ProcessorShare Share { get; }

    /// <summary>Bytes of requests that may wait; a queue with none takes one of any size. Default no limit.</summary>
    public long MaxBytes { get; init; } = long.MaxValue;

    /// <summary>Looks for runs that do not end.</summary>
    public RunWatch Watch { get; }

    /// <summary>Time after which a run is to be ended; zero, the default, for none.</summary>
    public TimeSpan StuckAfter { get; init; }

    /// <summary>Decides on the slots; null where they are as many as the model says.</summary>
    public ConcurrencyTuner? Tuner { get; init; }

    /// <summary>Runs at once, at least 1.</summary>
    public int Slots => Tuner?.Limit ?? _model.Concurrency;

    /// <summary>Whether a request would run at once, as far as a look without a lock shows.</summary>
    public bool HasRoom => _slots.Taken < Slots;

    /// <summary>Runs under way.</summary>
    public int Running => _slots.Taken;

    /// <summary>Requests that wait for a slot.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Answers <paramref name="request"/>, at once if it is refused; its memory is used until then.</summary>
    public ValueTask<InferReply> EnqueueAsync(InferRequest request, CancellationToken cancellationToken)
    {
        var facts = _readsFacts ? _model.Read(request.Message) : RequestFacts.Plain;
        var job = new InferenceJob(this, request, facts, _time.GetTimestamp(), cancellationToken) { Patience = PatienceOf(request) };
        var runsHere = false;
        List<InferenceJob>? displaced = null;
        lock (_gate)
        {
            var hasRoom = HasRoom;
            if (_draining || !hasRoom)
            {
                var refusal = _draining ? QueueRefusals.Unloading(_model) : _admission.Refusal(request, facts.Level, ref displaced);
                if (refusal is not null)
                {
                    return Refuse(refusal);
                }
            }

            if (!hasRoom)
            {
                _waiting.Add(job);
                _metrics.RequestQueued();
            }
            else if (_timer is not null && _model.Batching is { IsOn: true } batching && facts.Rows < batching.MaxSize)
            {
                _waiting.Add(job);
                _metrics.RequestQueued();
                StartWaiting(isPatient: _waiting.Count <= _limit);
            }
            else if (_slots.IsShort(request))
            {
                runsHere = true;
                _slots.Take(job.Arrived, job);
            }
            else
            {
                // The slot is taken last: a thread that cannot be started must not cost the replica a slot for good.
                _workers.Submit(job);
                _slots.Take(job.Arrived, job);
                return job.Task;
            }
        }

        if (runsHere)
        {
            _workers.RunHere(job);
        }
        else
        {
            job.WatchCancellation();
            displaced?.ForEach(Displace);
        }

        return job.Task;
    }

    /// <summary>Takes nothing more; completes when everything taken has run, so that the model is not needed any more.</summary>
    /// <param name="sendsAway">Whether what waits is to go to another replica.</param>
    public Task DrainAsync(bool sendsAway = false)
    {
        List<IInferenceWork> away = [];
        lock (_gate)
        {
            _draining = true;
            while (sendsAway && TakeNext(isPatient: false) is { } work)
            {
                away.Add(work);
            }

            StartWaiting(isPatient: false);
            SignalIfDrained();
        }

        // Not with the lock held, which a caller that gives up just now waits for.
        away.ForEach(Abandon);
        return _drained.Task;
    }

    /// <summary>Takes a waiting job out; false if it runs already or is answered.</summary>
    public bool TryRemove(InferenceJob job)
    {
        lock (_gate)
        {
            if (!_waiting.TryRemove(job))
            {
                return false;
            }

            job.Batch?.Ended(TimeSpan.Zero);

            SignalIfDrained();
        }

        _metrics.RequestDequeued();
        _metrics.Rejected(RejectionReason.Cancelled);
        _statistics.Cancelled((long)_time.GetElapsedTime(job.Arrived).TotalNanoseconds);
        return true;
    }

    /// <summary>Gives free slots to waiting requests that are due. The timer comes back for the others.</summary>
    private void StartWaiting(bool isPatient)
    {
        lock (_gate)
        {
            while (HasRoom && TakeNext(isPatient) is { } work)
            {
                if (!_workers.TrySubmit(work))
                {
                    // On another thread: a caller that gives up waits for this lock, and the end of its watch waits for it.
                    ThreadPool.UnsafeQueueUserWorkItem(static state => state.Queue.Abandon(state.Work), (Queue: this, Work: work), preferLocal: false);
                    continue;
                }

                _slots.Take(_time.GetTimestamp(), work);
            }

            SignalIfDrained();
        }
    }

    /// <summary>Answers what is not run here any more.</summary>
    private void Abandon(IInferenceWork work)
    {
        IReadOnlyList<InferenceJob> jobs = work is InferenceBatch batch ? batch.Jobs : [(InferenceJob)work];
        foreach (var job in jobs)
        {
            job.Unwatch();
            _statistics.Failed((long)_time.GetElapsedTime(job.Arrived).TotalNanoseconds);
            job.Complete(InferReply.Failed(QueueRefusals.Unloading(_model)));
        }
    }

    /// <summary>Refuses what waited and has given its place to a request of a caller with less of the queue.</summary>
    private void Displace(InferenceJob job)
    {
        job.Unwatch();
        _metrics.RequestDequeued();
        _metrics.Rejected(RejectionReason.QueueFull);
        _statistics.Failed((long)_time.GetElapsedTime(job.Arrived).TotalNanoseconds);
        job.Complete(InferReply.Failed(QueueRefusals.Displaced(_model, _slots.MeanRun)));
    }

    /// <summary>No longer than its deadline allows.</summary>
    private TimeSpan PatienceOf(InferRequest request)
    {
        if (_timer is null)
        {
            return TimeSpan.Zero;
        }

        var most = _model.Batching.MaxDelay;
        return request.Timeout is { } timeout && timeout - _slots.MeanRun < most ? timeout - _slots.MeanRun : most;
    }

    /// <summary>What gets a free slot; null where nothing waits, or only what waits for others.</summary>
    private IInferenceWork? TakeNext(bool isPatient)
    {
        if (_model.Batching is not { IsOn: true } batching)
        {
            if (!_waiting.TryTake(out var job))
            {
                return null;
            }

            _metrics.RequestDequeued();
            return job;
        }

        var jobs = _waiting.Take(batching, job => _time.GetElapsedTime(job.Arrived), isPatient && !_draining, out var wait);
        if (jobs is null)
        {
            // Timers count whole milliseconds: less would be none, and the timer would come back at once.
            _timer?.Change(wait > Timeout.InfiniteTimeSpan && wait < ShortestWait ? ShortestWait : wait, Timeout.InfiniteTimeSpan);
            return null;
        }

        jobs.ForEach(_ => _metrics.RequestDequeued());
        return jobs.Count == 1 ? jobs[0] : new InferenceBatch(this, jobs);
    }

    private ValueTask<InferReply> Refuse(Failure refusal)
    {
        if (refusal.Code != StatusCode.Unavailable)
        {
            _metrics.Rejected(refusal.Code == StatusCode.DeadlineExceeded ? RejectionReason.Deadline : RejectionReason.QueueFull);
        }

        _statistics.Failed(0);
        return ValueTask.FromResult(InferReply.Failed(refusal));
    }

    /// <summary>Gives a slot back, or to the next due requests.</summary>
    /// <param name="done">What had it.</param>
    /// <param name="runNanoseconds">Of the run, null where it failed.</param>
    /// <param name="took">Nanoseconds of the run, also of one that failed.</param>
    /// <param name="left">Jobs that had the slot and wait again, to run by themselves.</param>
    public IInferenceWork? Release(IInferenceWork done, long? runNanoseconds, long took, List<InferenceJob> left)
    {
        Share.Ran(took);
        var next = ReleaseSlot(done, runNanoseconds, took, left);
        if (left.Count > 0)
        {
            // Only once they wait, and on a thread of the pool. A caller that has given up meanwhile takes the queue's lock, and the prompt thread must not wait for that.
            _workers.DoPromptly(() => ThreadPool.UnsafeQueueUserWorkItem(static jobs => jobs.ForEach(static job => job.WatchCancellation()), left, preferLocal: false));
        }

        return next;
    }

    private IInferenceWork? ReleaseSlot(IInferenceWork done, long? runNanoseconds, long took, List<InferenceJob> left)
    {
        lock (_gate)
        {
            Watch.Ended(done, TimeSpan.FromMicroseconds(took / 1000.0), left);
            done.Charge(Math.Max(took, WaitingLine.LeastCost));
            _waiting.PutBack(left);
            _slots.Ran(runNanoseconds, took);
            _waiting.RowCost = Math.Max(_slots.MeanRun.TotalNanoseconds, WaitingLine.LeastCost) / _model.Batching.MaxSize;
            if (Tuner?.Ran(_waiting.Count > 0, hasRun: runNanoseconds is not null) == true)
            {
                _metrics.SlotsChanged(Slots);
            }

            var next = _slots.Taken > Slots ? null : TakeNext(isPatient: true);
            if (left.Count > 1 || (Tuner is not null && HasRoom))
            {
                StartWaiting(isPatient: true);
            }

            if (next is not null)
            {
                _slots.Pass(_time.GetTimestamp(), done, next);
                return next;
            }

            _slots.Release(done);
            SignalIfDrained();
            return null;
        }
    }

    /// <summary>Logs what a run threw that is no failure of its request, each cause once a minute.</summary>
    public void Report(Exception exception)
    {
        if (_errors.TryPass(exception.GetType().Name, out var heldBack))
        {
            Log.UnexpectedError(_logger, exception, _model.Name, _model.Version, heldBack);
        }
    }

    private void SignalIfDrained()
    {
        if (_draining && _slots.Taken == 0 && _waiting.Count == 0)
        {
            _workers.Leave(this);
            _workers.DoPromptly(() => _drained.TrySetResult());
        }
    }
}
