using System.Runtime.CompilerServices;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>Enumerations by their numbers; a number without a name is kept, because a newer peer may have a name for it.</summary>
internal sealed class EnumCodec<T> : WireCodec<T>
    where T : struct, Enum
{
    internal override WireKind Kind => WireKind.Varint;

    internal override void Write(WireWriter writer, T value) => writer.WriteSigned(Unsafe.SizeOf<T>() switch
    {
        sizeof(sbyte) => Unsafe.BitCast<T, sbyte>(value),
        sizeof(short) => Unsafe.BitCast<T, short>(value),
        sizeof(int) => Unsafe.BitCast<T, int>(value),
        _ => Unsafe.BitCast<T, long>(value),
    });

    internal override T Read(ref WireReader reader)
    {
        var value = reader.ReadSigned();
        return Unsafe.SizeOf<T>() switch
        {
            sizeof(sbyte) => Unsafe.BitCast<sbyte, T>(Fit<sbyte>(value)),
            sizeof(short) => Unsafe.BitCast<short, T>(Fit<short>(value)),
            sizeof(int) => Unsafe.BitCast<int, T>(Fit<int>(value)),
            _ => Unsafe.BitCast<long, T>(value),
        };
    }

    private static TNumber Fit<TNumber>(long value)
        where TNumber : struct, System.Numerics.IBinaryInteger<TNumber>
    {
        var result = TNumber.CreateTruncating(value);
        return long.CreateTruncating(result) == value ? result : throw new WireFormatException($"{value} does not fit {typeof(T)}");
    }
}
