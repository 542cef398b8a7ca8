using System.Diagnostics;
using System.Threading.Tasks.Sources;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Tracing;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;
using Cluster.Grains.Tracing;

namespace Cluster.Grains.Workers;

/// <summary>One request in a replica's queue or under way, and the task that its caller awaits.</summary>
internal sealed class InferenceJob : IInferenceWork, IValueTaskSource<InferReply>
{
    /// <summary>Earlier than any timestamp.</summary>
    private const long NotYet = -1;

    private static readonly List<InferenceJob> None = [];

    private readonly ReplicaQueue _queue;
    private CancellationTokenRegistration _registration;
    private long _began = NotYet;

    /// <summary>The caller's continuation must not run on an inference thread.</summary>
    private ManualResetValueTaskSourceCore<InferReply> _completion = new() { RunContinuationsAsynchronously = true };

    public InferenceJob(ReplicaQueue queue, InferRequest request, RequestFacts facts, long arrived, CancellationToken cancellation)
    {
        _queue = queue;
        Request = request;
        Facts = facts;
        Arrived = arrived;
        Cancellation = cancellation;
    }

    public InferRequest Request { get; }

    public RequestFacts Facts { get; }

    /// <summary>Timestamp of the arrival.</summary>
    public long Arrived { get; }

    /// <summary>How long it may wait for others while a slot is free.</summary>
    public TimeSpan Patience { get; init; }

    /// <summary>Whether a run of several has left it: it did not fit with the others, or that run failed.</summary>
    public bool RunsByItself { get; private set; }

    /// <summary>The run of several that it has left, where that was to end; else null.</summary>
    public EndedBatch? Batch { get; set; }

    /// <summary>Ends when the caller gives up.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>The span that its caller is in; null where none is recorded.</summary>
    public Activity? Span { get; } = ServingTrace.Current;

    /// <summary>The job's place while it waits; null where it had a slot at once.</summary>
    public LinkedListNode<InferenceJob>? Node { get; set; }

    /// <summary>What its caller has had is counted there; null where it had a slot at once.</summary>
    public ShareLine? Line { get; set; }

    /// <summary>Nanoseconds that its caller is counted for it.</summary>
    public double Cost { get; set; }

    public ValueTask<InferReply> Task => new(this, _completion.Version);

    /// <inheritdoc/>
    public ProcessorShare Share => _queue.Share;

    /// <inheritdoc/>
    public long? Began => Volatile.Read(ref _began) is >= 0 and var began ? began : null;

    /// <summary>Has the queue drop the job if its caller gives up while it waits.</summary>
    public void WatchCancellation()
    {
        _registration = Cancellation.UnsafeRegister(static job => ((InferenceJob)job!).GiveUp(), this);

        // It may have its slot already, and Unwatch may have come first: one of both sees the other.
        Interlocked.MemoryBarrier();
        if (Node?.List is null)
        {
            Unwatch();
        }
    }

    /// <summary>Ends what <see cref="WatchCancellation"/> began; a callback that is under way has ended afterwards.</summary>
    public void Unwatch() => _registration.Dispose();

    /// <inheritdoc/>
    /// <remarks>1: its wait ends. 2: the model runs, unless it is too late. 3: what became of it is counted. 4: its slot goes to what is due next. 5: its caller is answered.</remarks>
    public IInferenceWork? Execute()
    {
        // 1
        var queued = Begin();

        // 2
        var reply = Run(queued, out var times);

        // 3
        var took = End(reply, queued, times, isAlone: true) - queued;

        // 4: before the answer, so that an answered caller finds the slot free.
        var next = _queue.Release(this, reply.Succeeded ? times.Total : null, took, None);

        // 5
        _queue.Workers.Answer(this, reply);
        return next;
    }

    /// <summary>The job has a slot, by itself or with others.</summary>
    /// <returns>Nanoseconds that it waited.</returns>
    public long Begin()
    {
        Unwatch();
        var now = _queue.Time.GetTimestamp();
        Volatile.Write(ref _began, now);
        var queued = (long)_queue.Time.GetElapsedTime(Arrived, now).TotalNanoseconds;
        if (RunsByItself)
        {
            _queue.Metrics.RequestResumed();
        }
        else
        {
            _queue.Metrics.RequestStarted(TimeSpan.FromMicroseconds(queued / 1000.0));
        }

        return queued;
    }

    /// <summary>Why a job that has a slot is not run any more; null where it is.</summary>
    public InferReply? TooLate(long queued)
    {
        if (Cancellation.IsCancellationRequested)
        {
            _queue.Metrics.Rejected(RejectionReason.Cancelled);
            return InferReply.Failed(Failure.Cancelled("the caller gave up before the request could run"));
        }

        if (Request.Timeout is { } timeout && queued > timeout.TotalNanoseconds)
        {
            _queue.Metrics.Rejected(RejectionReason.Deadline);
            return InferReply.Failed(Failure.DeadlineExceeded(
                $"the deadline passed after {queued / 1_000_000} ms in the queue of model '{_queue.Model.Name}' version {_queue.Model.Version}"));
        }

        if (Batch is { IsSpent: true })
        {
            _queue.Metrics.Rejected(RejectionReason.Deadline);
            return InferReply.Failed(Failure.DeadlineExceeded(
                $"the run of several requests of model '{_queue.Model.Name}' version {_queue.Model.Version} that this one was in took too long and was ended, and so were those of others by themselves"));
        }

        return null;
    }

    /// <summary>The job gives its slot back, for a run by itself: it has no answer from a run of several.</summary>
    public void SendBack()
    {
        RunsByItself = true;
        Volatile.Write(ref _began, NotYet);
        _queue.Metrics.RequestSentBack();
    }

    /// <summary>Counts what became of the job.</summary>
    /// <param name="isAlone">Whether the run was its own, which is counted too.</param>
    /// <returns>Nanoseconds since the arrival.</returns>
    public long End(InferReply reply, long queued, in RunTimes times, bool isAlone)
    {
        var total = NanosecondsSinceArrival();
        _queue.Metrics.RequestEnded();
        if (reply.Succeeded && isAlone)
        {
            _queue.Statistics.ExecutedAlone(total, queued, times);
        }
        else if (reply.Succeeded)
        {
            _queue.Statistics.Succeeded(total, queued, times);
        }
        else if (reply.Failure.Code == StatusCode.Cancelled)
        {
            _queue.Statistics.Cancelled(total);
        }
        else
        {
            _queue.Statistics.Failed(total);
        }

        ReplicaSpans.Ran(Span, _queue.Time, queued, total, times, reply.Failure);
        return total;
    }

    /// <inheritdoc/>
    public void Charge(double cost) => Line?.Charge(this, cost);

    /// <summary>Answers the caller, who may reuse the request's memory from here on. Called once.</summary>
    public void Complete(InferReply reply) => _completion.SetResult(reply);

    /// <inheritdoc/>
    InferReply IValueTaskSource<InferReply>.GetResult(short token) => _completion.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<InferReply>.GetStatus(short token) => _completion.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<InferReply>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);

    private InferReply Run(long queued, out RunTimes times)
    {
        times = default;
        if (TooLate(queued) is { } late)
        {
            return late;
        }

        var alone = _queue.Workers.RunBegins() == 1;
        try
        {
            return InferReply.Success(_queue.Model.Run(Request.Message, alone, _queue.Metrics, out times, Cancellation));
        }
        catch (ServingException exception)
        {
            return InferReply.Failed(exception.Failure);
        }
        catch (Exception exception)
        {
            // The edge of a run, which has no caller to catch it: no failure of one request may end the process.
            _queue.Report(exception);
            return InferReply.Failed(Failure.Internal($"internal error while running model '{_queue.Model.Name}' version {_queue.Model.Version}"));
        }
        finally
        {
            _queue.Workers.RunEnds();
        }
    }

    private void GiveUp()
    {
        if (_queue.TryRemove(this))
        {
            Complete(InferReply.Failed(Failure.Cancelled("the caller gave up while the request waited for a free slot")));
        }
    }

    private long NanosecondsSinceArrival() => (long)_queue.Time.GetElapsedTime(Arrived).TotalNanoseconds;
}
