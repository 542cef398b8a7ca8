using System.Diagnostics;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Tracing;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Serving;

namespace Cluster.Gateway.Tracing;

/// <summary>The spans within a gateway. They are a request for inference, each of its calls to a replica, what comes before a further call, and waits for a load.</summary>
internal static class CallSpans
{
    public static Activity? BeginInfer(in InferCall call)
    {
        var span = ServingTrace.BeginWithin("infer");
        span?.SetTag(TraceTags.RequestBytes, call.Message.Length);
        return span;
    }

    public static void EndInfer(Activity span, in DispatchedReply answer)
    {
        span.SetTag(TraceTags.Model, answer.Model);
        span.SetTag(TraceTags.Version, answer.Version);
        SetAnswer(span, answer.Reply);
    }

    /// <summary>One call to a replica, also of this process.</summary>
    public static async ValueTask<Attempt> CallAsync(ReplicaRoute replica, InferRequest request, CancellationToken cancellationToken)
    {
        using var span = ServingTrace.BeginWithin("call", ActivityKind.Client);
        if (span is null)
        {
            return await Attempt.RunOnceAsync(replica, request, cancellationToken).ConfigureAwait(false);
        }

        span.SetTag(TraceTags.Model, replica.Id.Model);
        span.SetTag(TraceTags.Version, replica.Id.Version);
        span.SetTag(TraceTags.Replica, replica.Number);
        span.SetTag(TraceTags.Silo, replica.Silo.ToString());
        span.SetTag(TraceTags.RequestBytes, request.Message.Length);
        ServingTrace.Send();
        var attempt = await Attempt.RunOnceAsync(replica, request, cancellationToken).ConfigureAwait(false);
        span.SetTag("cluster.call.end", attempt.End.ToString());
        SetAnswer(span, attempt.Reply);
        return attempt;
    }

    /// <summary>Around a call beyond the first of a request.</summary>
    public static Activity? BeginRetry(AttemptEnd before)
    {
        var span = ServingTrace.BeginWithin("retry");
        span?.SetTag(TraceTags.RetryReason, before.ToString());
        return span;
    }

    /// <summary>A request that waits until its version is in memory.</summary>
    public static Activity? BeginLoad(string model, long version)
    {
        var span = ServingTrace.BeginWithin("wait for load");
        span?.SetTag(TraceTags.Model, model);
        span?.SetTag(TraceTags.Version, version);
        return span;
    }

    private static void SetAnswer(Activity span, InferReply reply)
    {
        span.SetOutcome(reply.Failure);
        if (reply.Succeeded)
        {
            span.SetTag(TraceTags.ResponseBytes, reply.Message.Length);
        }
    }
}
