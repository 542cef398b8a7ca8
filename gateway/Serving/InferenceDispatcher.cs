using Cluster.Contracts.Inference;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Routing;

namespace Cluster.Gateway.Serving;

/// <summary>Sends requests to replicas: nearly always one call, which this is for; <see cref="Redispatch"/> is for what does not go so.</summary>
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

    /// <summary>Runs <paramref name="call"/>, whose message it takes over.</summary>
    public async ValueTask<DispatchedReply> InferAsync(InferCall call, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        if (!routes.TryRoute(call.Model, call.Version, out var route, out _) || chooser.Choose(route, default) is not { } replica)
        {
            return await new Redispatch(this, call, start).RunAsync(cancellationToken).ConfigureAwait(false);
        }

        var attempt = await Attempt.RunAsync(replica, new InferRequest { Message = call.Message, Timeout = call.Timeout }, cancellationToken).ConfigureAwait(false);
        if (attempt.End != AttemptEnd.Final)
        {
            return await new Redispatch(this, call, start).RunAsync(route, replica, attempt, cancellationToken).ConfigureAwait(false);
        }

        call.Message.Dispose();
        return new DispatchedReply(attempt.Reply, call.Model, route.Version);
    }
}
