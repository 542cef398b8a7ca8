using System.Runtime.CompilerServices;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// The requests of a stream, in order. One reader at a time. The client may send no faster than messages are taken: what is not yet
/// read fills its flow-control window.
/// </summary>
public sealed class GrpcStreamReader
{
    private readonly GrpcCallContext _call;
    private readonly LeadingPadding? _padding;

    internal GrpcStreamReader(GrpcCallContext call, LeadingPadding? padding)
    {
        _call = call;
        _padding = padding;
    }

    /// <summary>
    /// The next message, which the caller owns, or null once the client has ended its side. Throws <see cref="ServingException"/> when
    /// the client broke a rule and <see cref="OperationCanceledException"/> when the call was cancelled.
    /// </summary>
    public ValueTask<PayloadBuffer?> ReadAsync() => GrpcMessageReader.ReadAsync(_call, _padding, _call.CancellationToken);

    /// <summary>As <see cref="ReadAsync()"/>, for one who waits for something else too; the token replaces the call's own.</summary>
    public ValueTask<PayloadBuffer?> ReadAsync(CancellationToken cancellation) => GrpcMessageReader.ReadAsync(_call, _padding, cancellation);

    /// <summary>All messages to come; the loop's body owns each.</summary>
    public async IAsyncEnumerable<PayloadBuffer> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var token = cancellation.CanBeCanceled ? cancellation : _call.CancellationToken;
        while (await ReadAsync(token).ConfigureAwait(false) is { } message)
        {
            yield return message;
        }
    }

    /// <summary>The only message, for a method that takes one.</summary>
    internal ValueTask<PayloadBuffer> ReadSingleAsync() => GrpcMessageReader.ReadSingleAsync(_call, _padding, _call.CancellationToken);
}
