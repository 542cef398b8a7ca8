using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;

namespace Cluster.Unit.Serving;

/// <summary>The replicas of a process that is the silo; as a replica it answers each request.</summary>
internal sealed class FakeLocalReplicas(SiloAddress silo) : ILocalReplicas, IReplica
{
    public Dictionary<ModelReplicaId, IReplica> Replicas { get; } = [];

    public int Requests { get; private set; }

    public bool HasRoom { get; set; } = true;

    public bool IsHere(SiloAddress other) => other == silo;

    public bool TryGet(ModelReplicaId id, [NotNullWhen(true)] out IReplica? replica) => Replicas.TryGetValue(id, out replica);

    public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken)
    {
        Requests++;
        return new(InferReply.Success(PayloadBuffer.CopyOf([9])));
    }
}
