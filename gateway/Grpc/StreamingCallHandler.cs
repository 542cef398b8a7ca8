using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Grpc;

/// <summary>Any number of requests and answers, both ways at once.</summary>
internal sealed class StreamingCallHandler(GrpcServer server, string method, RawStreamHandler handler, LeadingPadding? padding)
    : GrpcCallHandler(server, method)
{
    protected override async Task RunAsync(GrpcCallContext call, TimeSpan? timeout)
    {
        var writer = call.StreamWriter = new GrpcStreamWriter(call);
        StartDeadline(call, timeout);
        Failure? failure;
        try
        {
            failure = await handler(call, new GrpcStreamReader(call, padding), writer).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            failure = FailureOf(call, exception);
        }

        await default(ThreadPoolHop);
        if (call.Cause == CancellationCause.Client)
        {
            Log.CallCancelled(Logger, Method, CancellationCause.Client);
        }
        else if (!call.TryClaimAnswer())
        {
            Log.CallCancelled(Logger, Method, CancellationCause.Deadline);
        }
        else
        {
            await writer.EndAsync(failure).ConfigureAwait(false);
        }

        await call.StopAsync().ConfigureAwait(false);
    }
}
