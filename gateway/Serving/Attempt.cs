using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Tracing;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Tracing;

namespace Cluster.Gateway.Serving;

/// <summary>One call of a request to one replica.</summary>
internal readonly record struct Attempt(InferReply Reply, AttemptEnd End)
{
    /// <summary>Makes the call. What goes wrong is in the result.</summary>
    public static ValueTask<Attempt> RunAsync(ReplicaRoute replica, InferRequest request, CancellationToken cancellationToken) =>
        ServingTrace.IsOn ? CallSpans.CallAsync(replica, request, cancellationToken) : RunOnceAsync(replica, request, cancellationToken);

    /// <summary><see cref="RunAsync"/> without a span.</summary>
    public static async ValueTask<Attempt> RunOnceAsync(ReplicaRoute replica, InferRequest request, CancellationToken cancellationToken)
    {
        replica.Load.Begin();
        try
        {
            var reply = await replica.InferAsync(request, cancellationToken).ConfigureAwait(false);
            return new Attempt(reply, reply.Succeeded ? AttemptEnd.Final : EndOf(reply.Failure));
        }
        catch (SiloUnavailableException exception)
        {
            // What could not be delivered carries the cause; what was delivered ended with its silo.
            return Lost($"the silo of a replica of model '{replica.Id.Model}' was lost, or cannot be reached") with { End = exception.InnerException is null ? AttemptEnd.Lost : AttemptEnd.Undelivered };
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new Attempt(InferReply.Failed(Failure.Cancelled("")), AttemptEnd.Abandoned);
        }
        finally
        {
            replica.Load.End();
        }
    }

    /// <summary>Whether the replica's silo answers; it runs nothing.</summary>
    public static async ValueTask<bool> ReachesAsync(ReplicaRoute replica, CancellationToken cancellationToken)
    {
        try
        {
            await replica.Grain.DescribeAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SiloUnavailableException)
        {
            return false;
        }
    }

    public static Attempt Lost(string reason) => new(InferReply.Failed(Failure.Lost(reason)), AttemptEnd.Undelivered);

    private static AttemptEnd EndOf(Failure failure) => failure.Kind switch
    {
        FailureKind.Moved => AttemptEnd.Moved,
        FailureKind.Full => AttemptEnd.Full,
        _ => AttemptEnd.Final,
    };
}

/// <summary>How one call of a request ended.</summary>
internal enum AttemptEnd
{
    /// <summary>With an answer that stands, good or bad.</summary>
    Final,

    /// <summary>The replica is not loaded any more.</summary>
    Moved,

    /// <summary>The replica has too much to do.</summary>
    Full,

    /// <summary>The call was delivered, and its silo was lost with it.</summary>
    Lost,

    /// <summary>No silo has had the call.</summary>
    Undelivered,

    /// <summary>The caller gave up; the replica may still read the message.</summary>
    Abandoned,
}
