using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Logging;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Workers;

/// <summary>
/// Admission to one replica: as many runs at once as the model allows, a bounded queue in front of them in order of arrival, and early refusal of
/// what would miss its deadline anyway. Safe from any thread.
/// </summary>
internal sealed class ReplicaQueue
{
    /// <summary>Weight of the newest run in the mean that waits are estimated by; a sixteenth follows load changes within some tens of runs.</summary>
    private const double MeanWeight = 1.0 / 16;

    /// <summary>Runs that take less than this on average stay on their caller's thread: to wake another one and to come back costs about as much.</summary>
    private const double ShortRunNanoseconds = 25_000;

    /// <summary>A request of more bytes may take longer than the others did.</summary>
    private const int ShortRunBytes = 16 * 1024;

    /// <summary>A run of this length must not hold its caller's thread again soon, however short the others are.</summary>
    private const double LongRunNanoseconds = 10_000_000;

    /// <summary>Runs after a long one that go to inference threads.</summary>
    private const int RunsAfterLong = 1000;

    private readonly Lock _gate = new();
    private readonly LinkedList<InferenceJob> _waiting = [];
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IQueuedModel _model;
    private readonly InferenceWorkers _workers;
    private readonly ReplicaStatisticsRecorder _statistics;
    private readonly ReplicaMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly CauseLimiter _errors;
    private readonly ILogger _logger;
    private readonly int _limit;
    private int _running;
    private bool _draining;
    private double _meanRunNanoseconds;
    private int _notHere;

    public ReplicaQueue(
        IQueuedModel model,
        int limit,
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
        _errors = new CauseLimiter(time);
        _logger = logger;
    }

    /// <summary>Whether a request would run at once, as far as can be told without a lock.</summary>
    public bool HasRoom => Volatile.Read(ref _running) < _model.Concurrency;

    /// <summary>Runs under way.</summary>
    public int Running => Volatile.Read(ref _running);

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
        var job = new InferenceJob(this, request, _time.GetTimestamp(), cancellationToken);
        SessionRunner? runner = null;
        lock (_gate)
        {
            if (Refusal(request) is { } refusal)
            {
                return Refuse(refusal);
            }

            if (_running >= _model.Concurrency)
            {
                job.Node = _waiting.AddLast(job);
                _metrics.RequestQueued();
            }
            else if (IsShort(request))
            {
                runner = _workers.RentRunner();
                _running++;
            }
            else
            {
                // The slot is taken last: a thread that cannot be started must not cost the replica a slot for good.
                _workers.Submit(job);
                _running++;
                return job.Task;
            }
        }

        if (runner is not null)
        {
            _workers.RunHere(runner, job);
        }
        else
        {
            job.WatchCancellation();
        }

        return job.Task;
    }

    /// <summary>Takes nothing more; completes when everything taken has run, so that the model is not needed any more.</summary>
    public Task DrainAsync()
    {
        lock (_gate)
        {
            _draining = true;
            SignalIfDrained();
        }

        return _drained.Task;
    }

    /// <summary>Takes a waiting job out; false if it runs already or is answered.</summary>
    public bool TryRemove(InferenceJob job)
    {
        lock (_gate)
        {
            if (job.Node?.List is null)
            {
                return false;
            }

            _waiting.Remove(job.Node);
            SignalIfDrained();
        }

        _metrics.RequestDequeued();
        _metrics.Rejected(RejectionReason.Cancelled);
        _statistics.Cancelled(NanosecondsSince(job.Arrived));
        return true;
    }

    /// <summary>Runs a job that has its slot, on the calling thread, and returns the job that gets the slot next.</summary>
    public IInferenceWork? Execute(InferenceJob job, InferRequest request, SessionRunner runner, CancellationToken cancellationToken)
    {
        var queued = NanosecondsSince(job.Arrived);
        _metrics.RequestStarted(TimeSpan.FromMicroseconds(queued / 1000.0));
        var reply = Run(request, queued, runner, cancellationToken, out var times);
        var total = NanosecondsSince(job.Arrived);
        _metrics.RequestEnded();
        if (reply.Succeeded)
        {
            _statistics.Succeeded(total, queued, times);
        }
        else if (reply.Failure.Code == StatusCode.Cancelled)
        {
            _statistics.Cancelled(total);
        }
        else
        {
            _statistics.Failed(total);
        }

        var next = Release(reply.Succeeded ? times.Input + times.Infer + times.Output : null, total - queued);
        job.Complete(reply);
        return next;
    }

    private InferReply Run(InferRequest request, long queued, SessionRunner runner, CancellationToken cancellationToken, out RunTimes times)
    {
        times = default;
        if (cancellationToken.IsCancellationRequested)
        {
            _metrics.Rejected(RejectionReason.Cancelled);
            return InferReply.Failed(Failure.Cancelled("the caller gave up before the request could run"));
        }

        if (request.Timeout is { } timeout && queued > timeout.TotalNanoseconds)
        {
            _metrics.Rejected(RejectionReason.Deadline);
            return InferReply.Failed(Failure.DeadlineExceeded(
                $"the deadline passed after {queued / 1_000_000} ms in the queue of model '{_model.Name}' version {_model.Version}"));
        }

        try
        {
            return InferReply.Success(_model.Run(runner, request.Message, _metrics, out times, cancellationToken));
        }
        catch (ServingException exception)
        {
            return InferReply.Failed(exception.Failure);
        }
        catch (Exception exception)
        {
            // The edge of a run, which has no caller to catch it: no failure of one request may end the process.
            if (_errors.TryPass(exception.GetType().Name, out var heldBack))
            {
                Log.UnexpectedError(_logger, exception, _model.Name, _model.Version, heldBack);
            }

            return InferReply.Failed(Failure.Internal($"internal error while running model '{_model.Name}' version {_model.Version}"));
        }
    }

    private Failure? Refusal(InferRequest request)
    {
        if (_draining)
        {
            return Failure.Moved($"model '{_model.Name}' version {_model.Version} is being unloaded here");
        }

        if (_running < _model.Concurrency)
        {
            return null;
        }

        var wait = ExpectedWait();
        if (_waiting.Count >= _limit)
        {
            return Failure.Exhausted(
                $"model '{_model.Name}' version {_model.Version} has its queue full: {_waiting.Count} requests wait, the limit is {_limit}",
                wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1));
        }

        return request.Timeout is { } timeout && wait > timeout
            ? Failure.DeadlineExceeded(
                $"the deadline in {timeout.TotalMilliseconds:F0} ms cannot be met: model '{_model.Name}' version {_model.Version} " +
                $"would start this request in about {wait.TotalMilliseconds:F0} ms")
            : null;
    }

    private bool IsShort(InferRequest request) =>
        _notHere == 0 && _meanRunNanoseconds is > 0 and < ShortRunNanoseconds && request.Message.Length <= ShortRunBytes;

    private TimeSpan ExpectedWait() =>
        TimeSpan.FromMicroseconds(_meanRunNanoseconds / 1000 * (_waiting.Count + 1) / _model.Concurrency);

    private ValueTask<InferReply> Refuse(Failure refusal)
    {
        if (refusal.Code != StatusCode.Unavailable)
        {
            _metrics.Rejected(refusal.Code == StatusCode.DeadlineExceeded ? RejectionReason.Deadline : RejectionReason.QueueFull);
        }

        _statistics.Failed(0);
        return ValueTask.FromResult(InferReply.Failed(refusal));
    }

    /// <param name="took">Of the run, whatever became of it.</param>
    private InferenceJob? Release(long? runNanoseconds, long took)
    {
        lock (_gate)
        {
            _notHere = took >= LongRunNanoseconds ? RunsAfterLong : Math.Max(0, _notHere - 1);
            if (runNanoseconds is { } run)
            {
                _meanRunNanoseconds = _meanRunNanoseconds == 0 ? run : _meanRunNanoseconds + ((run - _meanRunNanoseconds) * MeanWeight);
            }

            if (_waiting.First is { } next)
            {
                _waiting.Remove(next);
                _metrics.RequestDequeued();
                return next.Value;
            }

            _running--;
            SignalIfDrained();
            return null;
        }
    }

    private void SignalIfDrained()
    {
        if (_draining && _running == 0 && _waiting.Count == 0)
        {
            _drained.TrySetResult();
        }
    }

    private long NanosecondsSince(long timestamp) => (long)_time.GetElapsedTime(timestamp).TotalNanoseconds;
}

/// <summary>What a <see cref="ReplicaQueue"/> needs of the model behind it.</summary>
internal interface IQueuedModel
{
    string Name { get; }

    long Version { get; }

    /// <summary>Runs at once, at least 1.</summary>
    int Concurrency { get; }

    /// <summary>Answers <paramref name="message"/> on the calling thread, whose runner is lent; the caller owns the answer.</summary>
    /// <exception cref="ServingException">The request is wrong, the model failed, or the caller gave up.</exception>
    PayloadBuffer Run(SessionRunner runner, PayloadBuffer message, ReplicaMetrics metrics, out RunTimes times, CancellationToken cancellationToken);
}
