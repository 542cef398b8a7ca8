using Cluster.Contracts.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Grpc;

/// <summary>The door of a method: refuses what is no gRPC call, reads the call's headers, arms its deadline.</summary>
/// <param name="maxMessage">The method's own limit of a request message, bytes, where it is below the server's.</param>
internal abstract class GrpcCallHandler(GrpcServer server, string method, int maxMessage = int.MaxValue)
{
    protected ILogger Logger => server.Logger;

    protected string Method => method;

    public Task HandleAsync(HttpContext http)
    {
        if (GrpcProtocol.Refusal(http.Request) is { } status)
        {
            Log.NotGrpc(server.Logger, method, status);
            GrpcProtocol.Refuse(http.Response, status);
            return Task.CompletedTask;
        }

        GrpcProtocol.LiftBodyLimits(http.Features);
        var headers = http.Request.Headers;
        if (!GrpcCompression.TryRead(headers, out var encoding))
        {
            http.Response.Headers[GrpcCompression.AcceptHeader] = GrpcCompression.Supported;
            return Refuse(http, new Failure(
                StatusCode.Unimplemented,
                $"{method}: grpc-encoding '{headers[GrpcCompression.EncodingHeader]}' is not supported, only {GrpcCompression.Supported}"));
        }

        TimeSpan? timeout = null;
        if (headers.TryGetValue(GrpcTimeout.Header, out var text))
        {
            if (!GrpcTimeout.TryParse(text.ToString(), out var parsed))
            {
                return Refuse(http, Failure.InvalidArgument(
                    $"{method}: grpc-timeout '{text}' is not one to eight digits and one of the units H, M, S, m, u, n"));
            }

            timeout = parsed;
        }

        var call = new GrpcCallContext(http, method, Math.Min(maxMessage, server.Options.MaxReceiveMessageSize), server.Time) { RequestEncoding = encoding };
        return RunAsync(call, timeout);
    }

    /// <summary>Serves the call; never throws.</summary>
    protected abstract Task RunAsync(GrpcCallContext call, TimeSpan? timeout);

    protected void StartDeadline(GrpcCallContext call, TimeSpan? timeout)
    {
        if (timeout is { } duration)
        {
            call.StartDeadline(server.Lifetimes.Rent(), duration);
        }
    }

    /// <summary>What the client is told about an exception of the handler or the reader.</summary>
    protected Failure FailureOf(GrpcCallContext call, Exception exception)
    {
        if (exception is ServingException serving)
        {
            return serving.Failure;
        }

        if (call.Cause != CancellationCause.None && exception is OperationCanceledException or IOException)
        {
            return call.CancellationFailure;
        }

        Log.HandlerFailed(server.Logger, exception, method);
        return Failure.Internal("internal error");
    }

    private static Task Refuse(HttpContext http, Failure failure)
    {
        GrpcResponse.SetFailure(http, failure);
        return Task.CompletedTask;
    }
}
