using System.Diagnostics;
using System.Threading.Tasks.Sources;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Tracing;
using Cluster.Grains.Sessions;

namespace Cluster.Grains.Workers;

/// <summary>One request in a replica's queue or under way, and the task that its caller awaits.</summary>
internal sealed class InferenceJob : IInferenceWork, IValueTaskSource<InferReply>
{
    private readonly ReplicaQueue _queue;
    private CancellationTokenRegistration _registration;

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
    public bool RunsByItself { get; set; }

    /// <summary>Ends when the caller gives up.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>The span that its caller is in; null where none is recorded.</summary>
    public Activity? Span { get; } = ServingTrace.Current;

    /// <summary>The job's place while it waits; null where it had a slot at once.</summary>
    public LinkedListNode<InferenceJob>? Node { get; set; }

    public ValueTask<InferReply> Task => new(this, _completion.Version);

    /// <summary>Has the queue drop the job if its caller gives up while it waits.</summary>
    public void WatchCancellation() =>
        _registration = Cancellation.UnsafeRegister(static job => ((InferenceJob)job!).GiveUp(), this);

    /// <summary>Ends what <see cref="WatchCancellation"/> began; a callback that is under way has ended afterwards.</summary>
    public void Unwatch() => _registration.Dispose();

    /// <inheritdoc/>
    public ProcessorShare Share => _queue.Share;

    /// <inheritdoc/>
    public IInferenceWork? Execute(SessionRunner runner)
    {
        Unwatch();
        return _queue.Runs.Execute(this, runner);
    }

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

    private void GiveUp()
    {
        if (_queue.TryRemove(this))
        {
            Complete(InferReply.Failed(Failure.Cancelled("the caller gave up while the request waited for a free slot")));
        }
    }
}
