using Cluster.Contracts.Inference;

namespace Cluster.Bench.Messaging;

[Reentrant]
internal sealed class EchoPayloadGrain : Grain, IEchoPayloadGrain
{
    private int _held;

    public ValueTask<InferReply> Echo(InferRequest request, CancellationToken cancellationToken) => new(InferReply.Success(request.Message));

    public Task Hold()
    {
        _held++;
        return Task.Delay(Timeout.InfiniteTimeSpan);
    }

    public ValueTask<int> Held() => new(_held);
}
