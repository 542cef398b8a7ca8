using Cluster.Contracts.Buffers;
using Cluster.Contracts.EmbeddedRuntime;

[assembly: PayloadCodec(typeof(PayloadBuffer), typeof(PayloadBufferCodec))]

namespace Cluster.Contracts.EmbeddedRuntime;

/// <summary>Message bytes travel beside the call that carries them: sent from their pooled memory, received into pooled memory.</summary>
internal sealed class PayloadBufferCodec : PayloadCodec<PayloadBuffer>
{
    public override ReadOnlyMemory<byte> GetBytes(PayloadBuffer payload) => payload.Memory;

    public override PayloadBuffer Rent(int length, int misalignment, out Memory<byte> bytes)
    {
        var payload = PayloadBuffer.Rent(length, misalignment);
        bytes = payload.Memory;
        return payload;
    }
}
