using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;

namespace Cluster.Unit.Transport;

/// <summary>Takes and gives payloads as a model's replica does.</summary>
public interface IPayloadGrain : IGrainWithStringKey
{
    /// <summary>Answers with the same bytes in memory of its own, as padded.</summary>
    ValueTask<InferReply> CopyAsync(InferRequest request, CancellationToken cancellationToken);

    /// <summary>Fails.</summary>
    ValueTask<InferReply> FailAsync(InferRequest request);

    /// <summary>Answers when the caller gives up.</summary>
    ValueTask<InferReply> WaitAsync(InferRequest request, CancellationToken cancellationToken);

    /// <summary>Requests that <see cref="WaitAsync"/> holds.</summary>
    ValueTask<int> CountAsync();
}

[Reentrant]
internal sealed class PayloadGrain : Grain, IPayloadGrain
{
    private int _held;

    public ValueTask<InferReply> CopyAsync(InferRequest request, CancellationToken cancellationToken)
    {
        if (!request.Message.TryTake())
        {
            return new(InferReply.Failed(Failure.Cancelled("given up")));
        }

        using var message = request.Message;
        var answer = PayloadBuffer.Rent(message.Length, message.Padding);
        message.Span.CopyTo(answer.Span);
        return new(InferReply.Success(answer));
    }

    public ValueTask<InferReply> FailAsync(InferRequest request)
    {
        if (request.Message.TryTake())
        {
            request.Message.Dispose();
        }

        throw new ServingException(Failure.Internal("as asked"));
    }

    public async ValueTask<InferReply> WaitAsync(InferRequest request, CancellationToken cancellationToken)
    {
        if (request.Message.TryTake())
        {
            using var message = request.Message;
            _held++;
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            _held--;
        }

        return InferReply.Failed(Failure.Cancelled("given up"));
    }

    public ValueTask<int> CountAsync() => new(_held);
}
