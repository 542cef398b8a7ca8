using Cluster.Contracts.Errors;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Hosting;

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

/// <summary>
/// Ends streams whose service only waits for its client's next question, as reflection does, when the server stops; it would wait for them
/// otherwise. Such a stream looks as if the client had ended it.
/// </summary>
internal sealed class StreamsEndWithServer(IHostApplicationLifetime lifetime) : Interceptor
{
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        continuation(new Requests<TRequest>(requestStream, lifetime.ApplicationStopping), responseStream, context);

    private sealed class Requests<T>(IAsyncStreamReader<T> requests, CancellationToken stopping) : IAsyncStreamReader<T>
    {
        public T Current => requests.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
            try
            {
                return await requests.MoveNext(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return false;
            }
        }
    }
}
