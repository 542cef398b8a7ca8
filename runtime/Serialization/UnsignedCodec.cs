using System.Numerics;

namespace Cluster.Runtime.CodeGeneration;

internal sealed class UnsignedCodec<T> : WireCodec<T>
    where T : struct, IBinaryInteger<T>, IUnsignedNumber<T>
{
    internal override WireKind Kind => WireKind.Varint;

    internal override void Write(WireWriter writer, T value) => writer.WriteVarint(ulong.CreateTruncating(value));

    internal override T Read(ref WireReader reader)
    {
        var value = reader.ReadVarint();
        var result = T.CreateTruncating(value);
        return ulong.CreateTruncating(result) == value ? result : throw new WireFormatException($"{value} does not fit {typeof(T)}");
    }
}
