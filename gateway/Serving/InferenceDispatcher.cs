using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Gateway.Routing;

namespace Cluster.Gateway.Serving;

/// <summary>
/// Sends requests to copies. A copy that is not there any more is followed by another route, at most three tries in all; what the model itself
/// answered is final.
/// </summary>
internal sealed class InferenceDispatcher(RouteTable routes, TimeProvider time)
{
    /// <summary>Calls of one request, whichever copies they went to.</summary>
    public const int MaxTries = 3;

    /// <summary>Runs <paramref name="call"/>, whose message it takes over.</summary>
    /// <param name="version">The version that was tried last, 0 if there is none.</param>
    public ValueTask<InferReply> InferAsync(InferCall call, out VersionRoute? version, CancellationToken cancellationToken)
    {
        if (!routes.TryRoute(call.Model, call.Version, out version, out var failure))
        {
            call.Message.Dispose();
            return ValueTask.FromResult(InferReply.Failed(failure));
        }

        return SendAsync(call, version, cancellationToken);
    }

    private async ValueTask<InferReply> SendAsync(InferCall call, VersionRoute route, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            var request = new InferRequest { Message = call.Message, Timeout = Remaining(call, start) };
            Failure failure;
            try
            {
                var reply = await route.Copies[0].InferAsync(request, cancellationToken).ConfigureAwait(false);
                if (reply.Succeeded || tries == MaxTries || !IsMoved(reply.Failure))
                {
                    call.Message.Dispose();
                    return reply;
                }

                failure = reply.Failure;
            }
            catch (ServingException exception)
            {
                // The copy could not be activated, so nothing holds the message.
                failure = exception.Failure;
                if (tries == MaxTries || !IsMoved(failure))
                {
                    call.Message.Dispose();
                    return InferReply.Failed(failure);
                }
            }
            catch (SiloUnavailableException exception)
            {
                call.Message.Dispose();
                return InferReply.Failed(Failure.Unavailable(exception.Message, TimeSpan.FromSeconds(1)));
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The copy may still read the message: it is left to the collector.
                return InferReply.Failed(Failure.Cancelled($"the request for model '{call.Model}' was given up by its caller"));
            }

            if (!routes.TryRoute(call.Model, call.Version, out var next, out var gone))
            {
                call.Message.Dispose();
                return InferReply.Failed(gone);
            }

            route = next;
        }
    }

    /// <summary>Whether the copy says that it is not the one to ask: unavailable, and no reason to wait.</summary>
    public static bool IsMoved(Failure failure) => failure.Code == StatusCode.Unavailable && failure.RetryAfter == TimeSpan.Zero;

    private TimeSpan? Remaining(InferCall call, long start)
    {
        if (call.Timeout is not { } timeout)
        {
            return null;
        }

        var left = timeout - time.GetElapsedTime(start);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
