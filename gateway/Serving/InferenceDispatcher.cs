using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Routing;

namespace Cluster.Gateway.Serving;

/// <summary>
/// Sends requests to copies. A copy that is not there any more is followed by another route, at most three tries in all; what the model itself
/// answered is final.
/// </summary>
internal sealed class InferenceDispatcher(RouteTable routes, ModelNames names, TimeProvider time)
{
    /// <summary>Calls of one request, whichever copies they went to.</summary>
    public const int MaxTries = 3;

    /// <summary>Runs <paramref name="call"/>, whose message it takes over.</summary>
    public ValueTask<DispatchedReply> InferAsync(InferCall call, CancellationToken cancellationToken) =>
        routes.TryRoute(call.Model, call.Version, out var route, out var failure)
            ? SendAsync(call, route, cancellationToken)
            : FindAndSendAsync(call, failure, cancellationToken);

    /// <summary>Where there is no route: follows an alias that has moved, and has a model loaded that waits for its first request.</summary>
    private async ValueTask<DispatchedReply> FindAndSendAsync(InferCall call, Failure failure, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        try
        {
            var moved = call.Alias is { } alias && failure.Code == StatusCode.NotFound
                ? await names.FollowAsync(alias, call.Model, cancellationToken).ConfigureAwait(false)
                : null;
            call = call with { Model = moved ?? call.Model };
            if (!await names.WakeAsync(call.Model, cancellationToken).ConfigureAwait(false) && moved is null)
            {
                return GiveUp(call, failure);
            }
        }
        catch (ServingException exception)
        {
            return GiveUp(call, exception.Failure);
        }
        catch (SiloUnavailableException exception)
        {
            return GiveUp(call, Failure.Unavailable(exception.Message, TimeSpan.FromSeconds(1)));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return GiveUp(call, GivenUp(call));
        }

        return routes.TryRoute(call.Model, call.Version, out var route, out var missing)
            ? await SendAsync(call with { Timeout = Remaining(call, start) }, route, cancellationToken).ConfigureAwait(false)
            : GiveUp(call, missing);
    }

    private async ValueTask<DispatchedReply> SendAsync(InferCall call, VersionRoute route, CancellationToken cancellationToken)
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
                    return new DispatchedReply(reply, call.Model, route.Version);
                }

                failure = reply.Failure;
            }
            catch (ServingException exception)
            {
                // The copy could not be activated, so nothing holds the message.
                failure = exception.Failure;
                if (tries == MaxTries || !IsMoved(failure))
                {
                    return GiveUp(call, failure, route.Version);
                }
            }
            catch (SiloUnavailableException exception)
            {
                return GiveUp(call, Failure.Unavailable(exception.Message, TimeSpan.FromSeconds(1)), route.Version);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The copy may still read the message: it is left to the collector.
                return new DispatchedReply(InferReply.Failed(GivenUp(call)), call.Model, route.Version);
            }

            if (!routes.TryRoute(call.Model, call.Version, out var next, out var gone))
            {
                return call.Alias is null
                    ? GiveUp(call, gone)
                    : await FindAndSendAsync(call with { Timeout = Remaining(call, start) }, gone, cancellationToken).ConfigureAwait(false);
            }

            route = next;
        }
    }

    /// <summary>Whether the copy says that it is not the one to ask: unavailable, and no reason to wait.</summary>
    public static bool IsMoved(Failure failure) => failure.Code == StatusCode.Unavailable && failure.RetryAfter == TimeSpan.Zero;

    private static DispatchedReply GiveUp(InferCall call, Failure failure, long version = 0)
    {
        call.Message.Dispose();
        return new DispatchedReply(InferReply.Failed(failure), call.Model, version);
    }

    private static Failure GivenUp(InferCall call) => Failure.Cancelled($"the request for model '{call.Model}' was given up by its caller");

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
