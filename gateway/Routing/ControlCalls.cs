using Cluster.Contracts.Errors;
using Cluster.Contracts.Serving;
using Cluster.Contracts.Tracing;
using Orleans.Storage;

namespace Cluster.Gateway.Routing;

/// <summary>
/// Calls of the control plane, all of which may be made twice. One whose silo is lost is made again once the cluster has got over that. So is one that a replaced
/// activation took, as in a silo that hung and was given up.
/// </summary>
internal sealed class ControlCalls(RouteChanges changes, ISiloHealth health, TimeProvider time)
{
    /// <summary>Longer than it takes to find a hung silo dead.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>A call that took longer had been delivered: the wait for its successor begins anew. Longer than an attempt to connect takes.</summary>
    private static readonly TimeSpan Ran = TimeSpan.FromSeconds(5);

    /// <summary>Silos that may be lost with one call before that is no accident.</summary>
    private const int MaxLosses = 3;

    /// <exception cref="ServingException">What the call throws; UNAVAILABLE where no silo can take it.</exception>
    public async ValueTask<T> RunAsync<T>(Func<ValueTask<T>> call, CancellationToken cancellationToken)
    {
        var (start, losses) = (time.GetTimestamp(), 0);
        ServingTrace.Send();
        while (true)
        {
            var change = changes.Next;
            var sent = time.GetTimestamp();
            try
            {
                return await SendAsync(call).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is SiloUnavailableException or InconsistentStateException)
            {
                start = time.GetElapsedTime(sent) > Ran && ++losses <= MaxLosses ? time.GetTimestamp() : start;
                var isOver = time.GetElapsedTime(start) > MaxWait;
                if (exception is SiloUnavailableException && (isOver || health.IsAlone || !health.IsStoreReachable))
                {
                    throw new ServingException(Failure.Unavailable(exception.Message, RetryAfter) with { Kind = FailureKind.Lost }, exception);
                }

                if (isOver)
                {
                    throw new ServingException(Failure.Unavailable("the state that the call changes was changed elsewhere at the same time", RetryAfter), exception);
                }
            }

            await changes.WaitAsync(change, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc cref="RunAsync{T}"/>
    public async ValueTask RunAsync(Func<ValueTask> call, CancellationToken cancellationToken) =>
        await RunAsync(
            async () =>
            {
                await call().ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);

    private async ValueTask<T> SendAsync<T>(Func<ValueTask<T>> call)
    {
        var sent = call();
        if (sent.IsCompleted)
        {
            return await sent.ConfigureAwait(false);
        }

        var (running, silos) = (sent.AsTask(), health.Silos.ToList());
        await LostCalls.WatchAsync(running, () => silos.Exists(health.IsGone), time).ConfigureAwait(false);
        return await running.ConfigureAwait(false);
    }
}
