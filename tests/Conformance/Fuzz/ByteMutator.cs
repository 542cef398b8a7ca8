using System.Buffers.Binary;

namespace Cluster.Conformance.Fuzz;

/// <summary>Damages bytes without knowing what they mean.</summary>
internal static class ByteMutator
{
    private static readonly byte[] Telling = [0x00, 0x01, 0x7F, 0x80, 0xC0, 0xFE, 0xFF, (byte)'"', (byte)'\\', (byte)'[', (byte)'{', (byte)'0', (byte)',', (byte)'\n'];

    /// <summary>One to six damages.</summary>
    /// <param name="other">What pieces may be taken from.</param>
    public static byte[] Mutate(Random random, byte[] bytes, byte[] other)
    {
        var result = new List<byte>(bytes);
        for (var left = random.Next(1, 7); left > 0; left--)
        {
            MutateOnce(random, result, other);
        }

        return [.. result];
    }

    private static void MutateOnce(Random random, List<byte> bytes, byte[] other)
    {
        var at = random.Next(bytes.Count + 1);
        var rest = bytes.Count - at;
        switch (random.Next(10))
        {
            case 0 when rest > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when rest > 0:
                bytes[at] = random.Pick(Telling);
                break;
            case 2:
                bytes.RemoveRange(at, rest);
                break;
            case 3:
                bytes.RemoveRange(at, Math.Min(rest, random.Length()));
                break;
            case 4:
                bytes.InsertRange(at, random.Bytes(random.Next(16)));
                break;
            case 5:
                bytes.InsertRange(at, bytes.GetRange(at, Math.Min(rest, random.Length())));
                break;
            case 6:
                bytes.InsertRange(at, Piece(random, other));
                break;
            case 7:
                Overwrite(bytes, at, WireNode.Varint((ulong)random.Extreme(), random.Next(3)));
                break;
            case 8:
                var number = new byte[sizeof(long)];
                BinaryPrimitives.WriteInt64LittleEndian(number, random.Extreme());
                Overwrite(bytes, at, number.AsSpan(0, random.OneIn(2) ? sizeof(int) : sizeof(long)));
                break;
            case 9:
                bytes.RemoveRange(at, rest);
                bytes.AddRange(Piece(random, other));
                break;
            default:
                bytes.Add((byte)random.Next(256));
                break;
        }
    }

    private static byte[] Piece(Random random, byte[] other)
    {
        var start = random.Next(other.Length + 1);
        return other[start..random.Next(start, other.Length + 1)];
    }

    private static void Overwrite(List<byte> bytes, int at, ReadOnlySpan<byte> with)
    {
        for (var i = 0; i < with.Length && at + i < bytes.Count; i++)
        {
            bytes[at + i] = with[i];
        }
    }
}
