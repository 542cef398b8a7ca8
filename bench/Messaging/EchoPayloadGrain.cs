using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;

namespace Cluster.Bench.Messaging;

[Reentrant]
internal sealed class EchoPayloadGrain : Grain, IEchoPayloadGrain
{
    private int _held;

    public ValueTask<InferReply> Echo(InferRequest request, CancellationToken cancellationToken) =>
        new(request.Message.TryTake() ? InferReply.Success(request.Message) : InferReply.Failed(Failure.Cancelled("the caller gave up")));

    public Task Hold()
    {
        _held++;
        return Task.Delay(Timeout.InfiniteTimeSpan);
    }

    public ValueTask<int> Held() => new(_held);
}

/// <summary>Answers with what it is sent: what a call costs beside the work.</summary>
public interface IEchoPayloadGrain : IGrainWithStringKey
{
    /// <summary>Answers with the very memory that the request came in.</summary>
    [AlwaysInterleave]
    ValueTask<InferReply> Echo(InferRequest request, CancellationToken cancellationToken);

    /// <summary>Never answers.</summary>
    [AlwaysInterleave]
    Task Hold();

    /// <summary>Calls that <see cref="Hold"/> does not answer.</summary>
    [AlwaysInterleave]
    ValueTask<int> Held();
}
