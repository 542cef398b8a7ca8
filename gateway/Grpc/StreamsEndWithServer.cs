using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Hosting;

namespace Cluster.Gateway.Grpc;

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
