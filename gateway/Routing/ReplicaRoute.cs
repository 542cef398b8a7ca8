using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;

namespace Cluster.Gateway.Routing;

/// <summary>One replica of a version that takes requests.</summary>
/// <param name="id">Which, and where it is.</param>
/// <param name="grain">To call it by a message.</param>
/// <param name="local">The replicas of this process, if it is among them; else null.</param>
/// <param name="load">What this gateway has on its way to it; the same object for as long as the replica is in the route.</param>
internal sealed class ReplicaRoute(ModelReplicaId id, IModelReplicaGrain grain, ILocalReplicas? local, ReplicaInFlight load)
{
    public ModelReplicaId Id => id;

    public int Number => id.Number;

    public SiloAddress Silo => id.Silo;

    public IModelReplicaGrain Grain => grain;

    public ReplicaInFlight Load => load;

    /// <summary>Whether it is loaded in this process and would run a request at once.</summary>
    public bool HasRoomHere => local is not null && local.TryGet(id, out var replica) && replica.HasRoom;

    /// <summary>Calls the replica: one of this process without a message.</summary>
    public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken)
    {
        if (local is null)
        {
            return grain.InferAsync(request, cancellationToken);
        }

        return local.TryGet(id, out var replica)
            ? replica.InferAsync(request, cancellationToken)
            : ValueTask.FromResult(InferReply.Failed(Failure.Moved($"replica {id.Number} of model '{id.Model}' is not loaded here")));
    }
}

/// <summary>Requests of this gateway that a replica has not answered yet. Thread-safe, lock-free.</summary>
internal sealed class ReplicaInFlight
{
    private int _inFlight;

    public int InFlight => Volatile.Read(ref _inFlight);

    public void Begin() => Interlocked.Increment(ref _inFlight);

    public void End() => Interlocked.Decrement(ref _inFlight);
}
