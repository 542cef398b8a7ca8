using System.Diagnostics;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Tracing;
using Cluster.Grains.Replicas;
using Cluster.Grains.Sessions;

namespace Cluster.Grains.Tracing;

/// <summary>The spans of a replica: a request that came from another process, its wait and its run, and loads.</summary>
internal static class ReplicaSpans
{
    /// <summary>Answers a request within a span of the trace that its call carries; without a span where it carries none.</summary>
    public static async ValueTask<InferReply> InferAsync(Replica replica, InferRequest request, CancellationToken cancellationToken)
    {
        var parent = ServingTrace.Received();
        using var span = parent == default ? null : ServingTrace.Begin("replica", ActivityKind.Server, parent);
        if (span is null)
        {
            return await replica.InferAsync(request, cancellationToken).ConfigureAwait(false);
        }

        SetReplica(span, replica.Id);
        span.SetTag(TraceTags.RequestBytes, request.Message.Length);
        var reply = await replica.InferAsync(request, cancellationToken).ConfigureAwait(false);
        span.SetOutcome(reply.Failure);
        if (reply.Succeeded)
        {
            span.SetTag(TraceTags.ResponseBytes, reply.Message.Length);
        }

        return reply;
    }

    /// <summary>Adds what a run that has ended took to the span of its request.</summary>
    /// <param name="within">Null: no span is recorded.</param>
    /// <param name="queued">Nanoseconds from the arrival to the run.</param>
    /// <param name="total">Nanoseconds from the arrival until now.</param>
    public static void Ran(Activity? within, TimeProvider time, long queued, long total, in RunTimes times, Failure? failure)
    {
        if (within is null)
        {
            return;
        }

        var arrived = time.GetUtcNow() - Nanoseconds(total);
        using var queue = ServingTrace.Add(within, "queue", arrived, Nanoseconds(queued));
        using var run = ServingTrace.Add(within, "run", arrived + Nanoseconds(queued), Nanoseconds(total - queued));
        if (run is null)
        {
            return;
        }

        run.SetOutcome(failure);
        run.SetTag(TraceTags.Rows, times.Rows);
        run.SetTag("cluster.run.input_us", times.Input / 1000);
        run.SetTag("cluster.run.infer_us", times.Infer / 1000);
        run.SetTag("cluster.run.output_us", times.Output / 1000);
    }

    /// <summary>A load, of the trace of the request that waits for it; one that no request waits for is a trace of its own.</summary>
    public static Activity? BeginLoad(in ModelReplicaId id)
    {
        var span = ServingTrace.Begin("load", ActivityKind.Server, ServingTrace.Received());
        if (span is not null)
        {
            SetReplica(span, id);
        }

        return span;
    }

    public static void EndLoad(Activity span, Failure? failure, long bytes)
    {
        span.SetOutcome(failure);
        if (failure is null)
        {
            span.SetTag(TraceTags.LoadedBytes, bytes);
        }
    }

    private static void SetReplica(Activity span, in ModelReplicaId id)
    {
        span.SetTag(TraceTags.Model, id.Model);
        span.SetTag(TraceTags.Version, id.Version);
        span.SetTag(TraceTags.Replica, id.Number);
        span.SetTag(TraceTags.Silo, id.Silo.ToString());
    }

    /// <summary>At least a tick: a span of none ends when it is disposed.</summary>
    private static TimeSpan Nanoseconds(long count) => TimeSpan.FromTicks(Math.Max(1, count / TimeSpan.NanosecondsPerTick));
}
