using System.Runtime.InteropServices;

namespace Cluster.Conformance.Support;

/// <summary>A tensor in its raw form: elements little-endian, BYTES elements behind their length.</summary>
internal sealed record Tensor(string Name, string Datatype, long[] Shape, byte[] Data)
{
    public long Count => Shape.Aggregate(1L, static (product, dimension) => product * dimension);

    public static Tensor Of<T>(string name, string datatype, long[] shape, params T[] elements)
        where T : unmanaged => new(name, datatype, shape, MemoryMarshal.AsBytes<T>(elements).ToArray());

    public static Tensor Fp32(string name, long[] shape, params float[] elements) => Of(name, "FP32", shape, elements);

    public static Tensor Int32(string name, long[] shape, params int[] elements) => Of(name, "INT32", shape, elements);

    public static Tensor Int64(string name, long[] shape, params long[] elements) => Of(name, "INT64", shape, elements);

    public static Tensor Bytes(string name, long[] shape, params byte[][] elements) => new(name, "BYTES", shape, Elements.Join(elements));

    public T[] As<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Data).ToArray();
}
