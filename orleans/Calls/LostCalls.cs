namespace Cluster.Runtime;

/// <summary>
/// Fails the calls of a client that are on their way when a silo is lost. Orleans' client waits for answers until its time-out: it knows neither which
/// silo holds the grain nor whether the gateway that passed the call on still lives. So all that are on their way fail, not only those that are lost; their callers
/// make them again.
/// </summary>
internal sealed class LostCalls : IOutgoingGrainCallFilter, IDisposable
{
    private CancellationTokenSource _loss = new();

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

    /// <summary>Fails what is on its way now.</summary>
    public void Fail()
    {
        // Not disposed: calls that are just being made may still hold it, and it has no timer.
        _ = Interlocked.Exchange(ref _loss, new CancellationTokenSource()).CancelAsync();
    }

    public void Dispose() => _loss.Dispose();
}
