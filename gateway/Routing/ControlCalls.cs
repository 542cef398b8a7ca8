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

    /// <exception cref="ServingException">What the call throws; UNAVAILABLE where no silo can take it.</exception>
    public async ValueTask<T> RunAsync<T>(Func<ValueTask<T>> call, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        ServingTrace.Send();
        while (true)
        {
            var change = changes.Next;
            try
            {
                return await call().ConfigureAwait(false);
            }
            catch (SiloUnavailableException exception) when (health.IsAlone || !health.IsStoreReachable || time.GetElapsedTime(start) > MaxWait)
            {
                throw new ServingException(Failure.Unavailable(exception.Message, RetryAfter) with { Kind = FailureKind.Lost }, exception);
            }
            catch (InconsistentStateException exception) when (time.GetElapsedTime(start) > MaxWait)
            {
                throw new ServingException(Failure.Unavailable("the state that the call changes was changed elsewhere at the same time", RetryAfter), exception);
            }
            catch (Exception exception) when (exception is SiloUnavailableException or InconsistentStateException)
            {
                await changes.WaitAsync(change, cancellationToken).ConfigureAwait(false);
            }
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
}
