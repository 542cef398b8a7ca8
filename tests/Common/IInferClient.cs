using System.Runtime.InteropServices;

namespace Cluster.Tests.Common;

/// <summary>Inference over one of the protocols, with raw tensors both ways.</summary>
public interface IInferClient : IDisposable
{
    /// <summary>All outputs, in the server's order.</summary>
    /// <exception cref="InvalidOperationException">The server refused; the message is its answer.</exception>
    Task<IReadOnlyList<RawTensor>> InferAsync(string model, IReadOnlyList<RawTensor> inputs, CancellationToken cancellationToken = default);
}

/// <summary>A tensor in its raw wire form: little-endian, row-major.</summary>
public sealed record RawTensor(string Name, string Datatype, IReadOnlyList<long> Shape, ReadOnlyMemory<byte> Bytes)
{
    public static RawTensor Fp32(string name, IReadOnlyList<long> shape, ReadOnlySpan<float> values) =>
        new(name, "FP32", shape, MemoryMarshal.AsBytes(values).ToArray());

    public static RawTensor Int64(string name, IReadOnlyList<long> shape, params ReadOnlySpan<long> values) =>
        new(name, "INT64", shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>The elements of an FP32 tensor.</summary>
    public float[] ToFloats() => MemoryMarshal.Cast<byte, float>(Bytes.Span).ToArray();
}

/// <summary>A call that was expected to succeed did not.</summary>
public sealed class GrpcCallException(GrpcAnswer answer) : Exception(answer.ToString())
{
    public GrpcAnswer Answer { get; } = answer;
}
