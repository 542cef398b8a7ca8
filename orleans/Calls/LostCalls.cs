namespace Cluster.Runtime;

/// <summary>
/// Fails the calls of a client that are on their way when a silo is lost. Orleans' client waits for answers until its time-out: it knows neither which
/// silo holds the grain nor whether the gateway that passed the call on still lives. So all that are on their way fail, not only those that are lost; their callers
/// make them again.
/// </summary>
internal sealed class LostCalls(TimeProvider time) : IOutgoingGrainCallFilter, IDisposable
{
    /// <summary>A loss shows several times: as a broken connection, as a death. A call is not to fail for each, or its tries are used up.</summary>
    internal static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private CancellationTokenSource _loss = new();
    private ITimer? _next;
    private long? _last;

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        var loss = Volatile.Read(ref _loss);
        var call = context.Invoke();
        if (call.IsCompletedSuccessfully)
        {
            return;
        }

        try
        {
            await call.WaitAsync(loss.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (loss.IsCancellationRequested && !call.IsCompleted)
        {
            _ = call.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw new SiloUnavailableException("a silo was lost while the call was on its way");
        }
    }

    /// <summary>Fails what is on its way now; a moment later if it has just done so.</summary>
    public void Fail()
    {
        CancellationTokenSource loss;
        lock (_lock)
        {
            if (_next is not null)
            {
                return;
            }

            if (_last is { } last && time.GetElapsedTime(last) < Pause)
            {
                _next = time.CreateTimer(static self => ((LostCalls)self!).FailLater(), this, Pause - time.GetElapsedTime(last), Timeout.InfiniteTimeSpan);
                return;
            }

            _last = time.GetTimestamp();

            // Not disposed: calls that are just being made may still hold it, and it has no timer.
            loss = Interlocked.Exchange(ref _loss, new CancellationTokenSource());
        }

        _ = loss.CancelAsync();
    }

    public void Dispose()
    {
        _loss.Dispose();
        _next?.Dispose();
    }

    private void FailLater()
    {
        lock (_lock)
        {
            _next?.Dispose();
            _next = null;
            _last = null;
        }

        Fail();
    }
}
