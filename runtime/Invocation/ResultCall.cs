#pragma warning disable CA2012 // The answer is read once: by the caller, or as the task that feeds the promise.

namespace Cluster.Runtime.CodeGeneration;

/// <summary>A call of a method that returns <see cref="Task{T}"/> or <see cref="ValueTask{T}"/>.</summary>
public abstract class ResultCall<T> : GrainCall
{
    private ValueTask<T> _answer;
    private Task<T>? _task;
    private TaskCompletionSource<T>? _promise;
    private T? _remoteResult;

    internal ValueTask<T> Result => _promise is { } promise ? new ValueTask<T>(promise.Task) : _answer;

    internal override bool IsAbandoned => _promise is { } promise && promise.Task.IsCompleted;

    private protected override bool HasPromise => Volatile.Read(ref _promise) is not null;

    /// <summary>Writes and reads the result.</summary>
    protected abstract WireCodec<T> ResultCodec { get; }

    /// <summary>Calls the method on the grain.</summary>
    protected abstract ValueTask<T> Invoke(object grain);

    internal override bool HasResult => _task is { IsCompletedSuccessfully: true };

    internal override Task Outcome => _promise!.Task;

    internal override bool Start(Activation activation)
    {
        if (!MayStart)
        {
            return true;
        }

        RestoreCallersLocals();
        try
        {
            _answer = Invoke(activation.Instance);
        }
#pragma warning disable CA1031 // Whatever the grain throws is its caller's.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _answer = ValueTask.FromException<T>(exception);
        }

        if (_answer.IsCompleted)
        {
            EndedSynchronously();
            return true;
        }

        Continue(activation);
        _task = _answer.AsTask();
        _task.GetAwaiter().UnsafeOnCompleted(OnGrainAnswered);
        return false;
    }

    internal override void WriteResult(WireWriter writer) => writer.WriteMember(0, ResultCodec, _task!.Result);

    internal override void ReadResult(ref WireReader reader)
    {
        var seen = false;
        while (reader.TryReadKey(out var id, out var kind))
        {
            if (id == 0)
            {
                _remoteResult = ResultCodec.ReadMember(ref reader, kind);
                seen = true;
            }
            else
            {
                reader.Skip(kind);
            }
        }

        if (!seen)
        {
            _remoteResult = ResultCodec.Missing("the result");
        }
    }

    private protected override bool TrySetFromRemote() => _promise!.TrySetResult(_remoteResult!);

    // Continuations run elsewhere: the promise is kept in the middle of a turn.
    private protected override void CreatePromise() =>
        Volatile.Write(ref _promise, new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously));

    private protected override bool TrySetException(Exception exception) => _promise!.TrySetException(exception);

    private protected override bool TrySetCanceled(CancellationToken token) => _promise!.TrySetCanceled(token);

    private protected override bool TrySetFromGrain()
    {
        var task = _task ??= _answer.AsTask();
        if (_promise!.TrySetFromTask(task))
        {
            return true;
        }

        // The caller has gone: nobody else will look at a failure.
        _ = task.Exception;
        return false;
    }
}
