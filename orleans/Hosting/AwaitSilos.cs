using Microsoft.Extensions.Logging;

namespace Cluster.Runtime;

/// <summary>A process that starts before any silo waits for one.</summary>
internal sealed class AwaitSilos(TimeProvider time, ILogger<AwaitSilos> logger) : IClientConnectionRetryFilter
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private bool _told;

    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        if (!_told)
        {
            _told = true;
            Log.AwaitsSilo(logger, exception.Message);
        }

        await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !cancellationToken.IsCancellationRequested;
    }
}
