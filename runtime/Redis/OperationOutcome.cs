namespace Cluster.Runtime;

/// <summary>How operations of the client of Redis end.</summary>
internal static class OperationOutcome
{
    /// <summary>
    /// Waits for an operation, for as long as it may take. Never throws: exceptions are dear, and callers are many while Redis is away.
    /// </summary>
    /// <returns>Why it failed; null if it did not.</returns>
    public static async ValueTask<Exception?> SettleAsync(this Task operation, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken = default)
    {
        Task limited = operation.WaitAsync(limit, time, cancellationToken);
        await limited.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (limited.IsCompletedSuccessfully)
        {
            return null;
        }

        // What comes after the time is over is nobody's; it must not become an unobserved exception.
        _ = operation.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return limited.Exception?.InnerException ?? new OperationCanceledException(cancellationToken);
    }
}
