using System.Numerics;

namespace Cluster.Runtime.CodeGeneration;

internal sealed class SignedCodec<T> : WireCodec<T>
    where T : struct, IBinaryInteger<T>, ISignedNumber<T>
{
    internal override WireKind Kind => WireKind.Varint;

    internal override void Write(WireWriter writer, T value) => writer.WriteSigned(long.CreateTruncating(value));

    internal override T Read(ref WireReader reader)
    {
        var value = reader.ReadSigned();
        var result = T.CreateTruncating(value);
        return long.CreateTruncating(result) == value ? result : throw new WireFormatException($"{value} does not fit {typeof(T)}");
    }
}
