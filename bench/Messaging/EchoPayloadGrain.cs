using Cluster.Contracts.Inference;

namespace Cluster.Bench.Messaging;

[Reentrant]
internal sealed class EchoPayloadGrain : Grain, IEchoPayloadGrain
{
    public ValueTask<InferReply> Echo(InferRequest request, CancellationToken cancellationToken) => new(InferReply.Success(request.Message));
}
