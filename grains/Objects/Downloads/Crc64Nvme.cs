using System.Buffers.Binary;
using System.Globalization;

namespace Cluster.Grains.Objects.Downloads;

/// <summary>CRC-64/NVME, which Amazon's store tells of what it takes in. System.IO.Hashing has no CRC with the least significant bit first but that of 32 bits.</summary>
internal sealed class Crc64Nvme
{
    /// <summary>Eight bytes a step: some five times faster than one.</summary>
    private const int Step = 8;

    /// <summary>0xAD93D23594C93659, in reversed order of bits.</summary>
    private const ulong Polynomial = 0x9A6C9329AC4BC9B5;

    private static readonly ulong[] AllTables = Tables();
    private ulong _value = ulong.MaxValue;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var value = _value;
        for (; bytes.Length >= Step; bytes = bytes[Step..])
        {
            value ^= BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            var next = 0UL;
            for (var place = 0; place < Step; place++)
            {
                next ^= AllTables[((Step - 1 - place) << 8) | (int)((value >> (place * 8)) & 0xff)];
            }

            value = next;
        }

        foreach (var one in bytes)
        {
            value = (value >> 8) ^ AllTables[(int)((value ^ one) & 0xff)];
        }

        _value = value;
    }

    /// <summary>16 hexadecimal digits, lower case.</summary>
    public string Finish() => (~_value).ToString("x16", CultureInfo.InvariantCulture);

    private static ulong[] Tables()
    {
        var tables = new ulong[Step << 8];
        for (var one = 0; one < 256; one++)
        {
            var value = (ulong)one;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ Polynomial;
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
