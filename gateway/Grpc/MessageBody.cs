using System.Buffers;
using System.IO.Pipelines;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Compression;
using Grpc.Core;

namespace Cluster.Gateway.Grpc;

/// <summary>The bytes of one message in a call's body, as they come: the body keeps none of them. Read asynchronously alone, once.</summary>
/// <param name="length">Bytes of the message that follow in the body.</param>
/// <param name="method">For the error.</param>
internal sealed class MessageBody(PipeReader body, int length, string method) : ReadOnlyStream
{
    private int _read;

    public override int Read(Span<byte> buffer) => throw new NotSupportedException("a message is read as it comes");

    /// <exception cref="RpcException">INTERNAL: the body ended within the message.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_read == length || buffer.IsEmpty)
        {
            return 0;
        }

        var result = await body.ReadAsync(cancellationToken).ConfigureAwait(false);
        var part = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, Math.Min(buffer.Length, length - _read)));
        part.CopyTo(buffer.Span);
        var count = (int)part.Length;
        body.AdvanceTo(part.End);
        _read += count;
        return count > 0 || !result.IsCompleted
            ? count
            : throw Failure.Internal($"{method}: the request ended after {_read} of a message's {length} bytes").ToRpcException();
    }
}
