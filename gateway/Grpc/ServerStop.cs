using Cluster.Contracts.Errors;
using Grpc.Core;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// For streams that only wait, as watchers do: they end when the server stops, which would otherwise wait for them until it gives up.
/// </summary>
internal static class ServerStop
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Runs <paramref name="body"/> with a token that fires with the call's or the server's; the latter becomes UNAVAILABLE.
    /// </summary>
    public static async ValueTask EndWithAsync(ServerCallContext call, Func<CancellationToken, ValueTask> body, CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, stopping);
        try
        {
            await body(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (stopping.IsCancellationRequested && !call.CancellationToken.IsCancellationRequested)
        {
            throw new ServingException(Failure.Unavailable("the server is shutting down", RetryAfter), exception);
        }
    }
}
