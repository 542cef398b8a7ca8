using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Cluster.Contracts.Wire;

namespace Cluster.Bench.Clients;

/// <summary>A <c>ModelInferRequest</c> with raw contents in gRPC's framing: one byte "not compressed", four of length, the message.</summary>
internal static class GrpcRequest
{
    public const int PrefixSize = 5;

    public static byte[] Build(InferWorkload workload)
    {
        var input = MemoryMarshal.AsBytes<float>(workload.Input);
        using var builder = new InferRequestBuilder(input.Length + 1024, int.MaxValue);
        builder.AddModelName(Encoding.UTF8.GetBytes(workload.Model));
        builder.AddInput(Encoding.UTF8.GetBytes(workload.InputName), Datatype.Fp32, workload.Shape);
        builder.BeginRaw();
        input.CopyTo(builder.GetSpan(input.Length));
        builder.Advance(input.Length);
        builder.EndRaw();
        using var message = builder.Build();
        var framed = new byte[PrefixSize + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.Span.CopyTo(framed.AsSpan(PrefixSize));
        return framed;
    }
}
