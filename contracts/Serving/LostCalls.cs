namespace Cluster.Contracts.Serving;

/// <summary>
/// Finds calls that no answer will come for. Orleans ends a call with the silo that it was sent to. One that was forwarded from there to another activation, whose
/// silo is lost, would wait for its whole time limit.
/// </summary>
public static class LostCalls
{
    /// <summary>How often a call that takes long looks for silos that died, and how long it then goes on: Orleans' own word comes within milliseconds.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Waits for a call that its caller makes again where it is lost. Stays in the context of a grain that calls it.</summary>
    /// <param name="hasLostASilo">Whether a silo that could have the call died since it was sent.</param>
    /// <exception cref="SiloUnavailableException">A silo died, and the call did not end within a moment.</exception>
    public static async Task WatchAsync(Task call, Func<bool> hasLostASilo, TimeProvider time)
    {
        while (!await EndsAsync(call, time))
        {
            if (hasLostASilo() && !await EndsAsync(call, time))
            {
                _ = call.ContinueWith(static lost => lost.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                throw new SiloUnavailableException("the silo that had the call was lost");
            }
        }
    }

    private static async Task<bool> EndsAsync(Task call, TimeProvider time)
    {
        await call.WaitAsync(Look, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return call.IsCompleted;
    }
}
