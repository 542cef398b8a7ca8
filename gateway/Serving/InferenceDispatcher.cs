using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Serving;
using Cluster.Contracts.Tracing;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Tracing;

namespace Cluster.Gateway.Serving;

/// <summary>Sends requests to replicas. Nearly always that is one call, in four steps; <see cref="Redispatch"/> is for all other requests.</summary>
/// <remarks>
/// Before it, the front end has read the message, and <see cref="ServingApi"/> has resolved the name.
/// <list type="number">
/// <item><see cref="RouteTable"/> finds the version.</item>
/// <item><see cref="ReplicaChooser"/> picks a replica: one of this process with room, else the lighter of two.</item>
/// <item><see cref="Attempt"/> calls it: directly in this process, by a grain call and frames in another. The replica admits the request, runs it and answers.</item>
/// <item>The message is given back, and the reply handed to the front end.</item>
/// </list>
/// </remarks>
internal sealed class InferenceDispatcher(
    RouteTable routes,
    ModelNames names,
    ReplicaChooser chooser,
    ReplicaLoads loads,
    Suspects suspects,
    RouteChanges changes,
    ISiloHealth health,
    RoutingMetrics metrics,
    TimeProvider time)
{
    public RouteTable Routes => routes;

    public ModelNames Names => names;

    public ReplicaChooser Chooser => chooser;

    public ReplicaLoads Loads => loads;

    public Suspects Suspects => suspects;

    public RouteChanges Changes => changes;

    public ISiloHealth Health => health;

    public RoutingMetrics Metrics => metrics;

    public TimeProvider Time => time;

    /// <summary>Runs <paramref name="call"/>, whose message it takes over, also where it throws.</summary>
    public async ValueTask<DispatchedReply> InferAsync(InferCall call, CancellationToken cancellationToken)
    {
        try
        {
            var start = time.GetTimestamp();

            // 1 and 2
            if (!routes.TryRoute(call.Model, call.Version, out var route, out _) || chooser.Choose(route, default) is not { } replica)
            {
                return await new Redispatch(this, call, start).RunAsync(cancellationToken).ConfigureAwait(false);
            }

            // 3
            var attempt = await Attempt.RunAsync(replica, call.ToRequest(call.Timeout), cancellationToken).ConfigureAwait(false);
            if (attempt.End != AttemptEnd.Final && !(attempt.End == AttemptEnd.Full && route.Replicas.Length == 1))
            {
                return await new Redispatch(this, call, start).RunAsync(route, replica, attempt, cancellationToken).ConfigureAwait(false);
            }

            return new DispatchedReply(attempt.Reply, call.Model, route.Version);
        }
        finally
        {
            // 4
            call.Message.Dispose();
        }
    }
}

/// <summary>One call of a request to one replica.</summary>
internal readonly record struct Attempt(InferReply Reply, AttemptEnd End)
{
    /// <summary>How long a silo has to say that it answers; one that hears of it does so within milliseconds.</summary>
    private static readonly TimeSpan MaxReach = TimeSpan.FromSeconds(3);

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
            // An undelivered call carries the cause. A delivered one ended with its silo.
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
    public static async ValueTask<bool> ReachesAsync(ReplicaRoute replica, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await replica.Grain.DescribeAsync(cancellationToken).AsTask().WaitAsync(MaxReach, time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (exception is SiloUnavailableException or TimeoutException)
        {
            // A silo that this process alone does not reach, as others do, is not lost: the call just ends.
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
