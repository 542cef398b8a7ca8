using System.Buffers.Binary;

namespace Cluster.Grains.Objects;

/// <summary>A cyclic redundancy check of up to 64 bits, least significant bit first, whose register begins and ends inverted: those that stores tell of objects.</summary>
/// <param name="polynomial">In reversed order of bits.</param>
/// <param name="bits">8 to 64.</param>
internal sealed class ReflectedCrc(ulong polynomial, int bits)
{
    /// <summary>Eight bytes a step: some five times faster than one.</summary>
    private const int Step = 8;

    private readonly ulong[] _tables = Tables(polynomial);
    private readonly ulong _ones = ulong.MaxValue >> (64 - bits);

    public static ReflectedCrc Crc32() => new(0xEDB88320, 32);

    public static ReflectedCrc Crc64Nvme() => new(0x9A6C9329AC4BC9B5, 64);

    private ulong Value { get; set; } = ulong.MaxValue >> (64 - bits);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var value = Value;
        for (; bytes.Length >= Step; bytes = bytes[Step..])
        {
            value ^= BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            var next = 0UL;
            for (var place = 0; place < Step; place++)
            {
                next ^= _tables[((Step - 1 - place) << 8) | (int)((value >> (place * 8)) & 0xff)];
            }

            value = next;
        }

        foreach (var one in bytes)
        {
            value = (value >> 8) ^ _tables[(int)((value ^ one) & 0xff)];
        }

        Value = value;
    }

    /// <summary>Hexadecimal digits, lower case, as many as the check has.</summary>
    public string Finish() => (Value ^ _ones).ToString("x16", System.Globalization.CultureInfo.InvariantCulture)[^(bits / 4)..];

    private static ulong[] Tables(ulong polynomial)
    {
        var tables = new ulong[Step << 8];
        for (var one = 0; one < 256; one++)
        {
            var value = (ulong)one;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ polynomial;
            }

            tables[one] = value;
        }

        for (var place = 1; place < Step; place++)
        {
            for (var one = 0; one < 256; one++)
            {
                var before = tables[((place - 1) << 8) | one];
                tables[(place << 8) | one] = (before >> 8) ^ tables[before & 0xff];
            }
        }

        return tables;
    }
}
