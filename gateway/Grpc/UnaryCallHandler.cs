using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Grpc;

/// <summary>One request, one answer.</summary>
internal sealed class UnaryCallHandler(
    GrpcServer server, string method, RawUnaryHandler handler, LeadingPadding? padding, int maxMessage = int.MaxValue)
    : GrpcCallHandler(server, method, maxMessage)
{
    protected override async Task RunAsync(GrpcCallContext call, TimeSpan? timeout)
    {
        StartDeadline(call, timeout);
        GrpcReply reply;
        try
        {
            var request = await GrpcMessageReader.ReadSingleAsync(call, padding, call.CancellationToken).ConfigureAwait(false);
            reply = await handler(call, request).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            reply = FailureOf(call, exception);
        }

        await default(ThreadPoolHop);
        await AnswerAsync(call, reply).ConfigureAwait(false);
        await call.StopAsync().ConfigureAwait(false);
    }

    private async ValueTask AnswerAsync(GrpcCallContext call, GrpcReply reply)
    {
        using var message = reply.Message;
        if (call.Cause == CancellationCause.Client)
        {
            Log.CallCancelled(Logger, Method, CancellationCause.Client);
        }
        else if (!call.TryClaimAnswer())
        {
            Log.CallCancelled(Logger, Method, CancellationCause.Deadline);
        }
        else if (message is not null)
        {
            await WriteAsync(call, message).ConfigureAwait(false);
        }
        else
        {
            GrpcResponse.SetFailure(call.HttpContext, reply.Failure ?? Failure.Internal("internal error"));
        }
    }

    private async ValueTask WriteAsync(GrpcCallContext call, PayloadBuffer message)
    {
        var http = call.HttpContext;
        GrpcResponse.Begin(http);
        using var compressed = call.RequestWasCompressed && GrpcResponse.MayCompress(call)
            ? GrpcCompression.TryCompress(message, call.RequestEncoding)
            : null;
        if (compressed is not null)
        {
            GrpcResponse.AnnounceCompression(call);
        }

        try
        {
            var payload = compressed ?? message;
            await GrpcMessageWriter.WriteAsync(http.Response.BodyWriter, payload.Memory, compressed is not null, flush: false)
                .ConfigureAwait(false);
            GrpcResponse.SetOk(http);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            Log.CallCancelled(Logger, Method, call.Cause);
        }
    }
}
