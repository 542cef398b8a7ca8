using System.Net;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Cluster.Bench.Load;

/// <summary>Unary calls through Grpc.Net.Client on one connection. It reads an answer's status from the trailers.</summary>
internal sealed class GrpcClient : IDisposable
{
    public const string InferService = "inference.GRPCInferenceService";
    public const string InferMethod = "ModelInfer";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly Marshaller<byte[]> Raw = Marshallers.Create(static bytes => bytes, static bytes => bytes);
    private static readonly Method<byte[], byte[]> Infer = new(MethodType.Unary, InferService, InferMethod, Raw, Raw);

    private readonly GrpcChannel _channel;
    private readonly CallInvoker _calls;

    public GrpcClient(IPEndPoint server)
    {
        // A client given as HttpClient connects at once; a channel with its own waits a second after a refused connection.
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = false }) { Timeout = Timeout.InfiniteTimeSpan };
        _channel = GrpcChannel.ForAddress(
            $"http://{server}", new GrpcChannelOptions { HttpClient = http, DisposeHttpClient = true, MaxReceiveMessageSize = null });
        _calls = _channel.CreateCallInvoker();
    }

    /// <summary>Sends a <c>ModelInferRequest</c>.</summary>
    /// <returns>The <c>ModelInferResponse</c>.</returns>
    /// <exception cref="GrpcFailureException">The call did not end with OK.</exception>
    public Task<byte[]> InferAsync(byte[] message, CancellationToken cancellationToken) => CallAsync(Infer, message, cancellationToken);

    /// <summary>As <see cref="InferAsync"/>, for calls that are expected to be refused: an exception costs more than the rest of such a call.</summary>
    /// <returns>Null where the call ended with OK, else its status.</returns>
    public async Task<string?> TryInferAsync(byte[] message, CancellationToken cancellationToken)
    {
        using var call = _calls.AsyncUnaryCall(Infer, null, new CallOptions(cancellationToken: cancellationToken), message);
        var answer = call.ResponseAsync;
        await ((Task)answer.WaitAsync(Patience, cancellationToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (!answer.IsCompleted)
        {
            return NoAnswer();
        }

        // Looked at, so that it does not count as an exception that is lost.
        _ = answer.Exception;
        return call.GetStatus().StatusCode is var status && status == StatusCode.OK ? null : $"gRPC status {status}";
    }

    /// <summary>A call with one message each way.</summary>
    /// <exception cref="GrpcFailureException">It did not end with OK.</exception>
    public Task<TAnswer> CallAsync<TRequest, TAnswer>(string service, string method, TRequest request, CancellationToken cancellationToken)
        where TRequest : class, IMessage
        where TAnswer : class, IMessage<TAnswer>, new()
    {
        var parser = new MessageParser<TAnswer>(static () => new TAnswer());
        return CallAsync(
            new Method<TRequest, TAnswer>(
                MethodType.Unary,
                service,
                method,
                Marshallers.Create<TRequest>(static message => message.ToByteArray(), static _ => throw new NotSupportedException()),
                Marshallers.Create<TAnswer>(static message => message.ToByteArray(), parser.ParseFrom)),
            request,
            cancellationToken);
    }

    public void Dispose() => _channel.Dispose();

    private async Task<TAnswer> CallAsync<TRequest, TAnswer>(
        Method<TRequest, TAnswer> method, TRequest request, CancellationToken cancellationToken)
        where TRequest : class
        where TAnswer : class
    {
        try
        {
            using var call = _calls.AsyncUnaryCall(method, null, new CallOptions(cancellationToken: cancellationToken), request);
            return await call.ResponseAsync.WaitAsync(Patience, cancellationToken);
        }
        catch (RpcException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new GrpcFailureException($"gRPC status {error.StatusCode}: {error.Status.Detail}");
        }
        catch (TimeoutException)
        {
            throw new GrpcFailureException(NoAnswer());
        }
    }

    private static string NoAnswer() => $"no answer within {Patience.TotalSeconds} s";
}

/// <summary>A call did not end with OK.</summary>
internal sealed class GrpcFailureException(string message) : Exception(message);
