using System.Text;

namespace Cluster.Bench.Clients;

/// <summary>
/// Finds a call's status in a block of compressed headers. We allow the server no header table, so every name and value
/// stands in the block itself. Of Huffman-coded text only what a status needs is understood.
/// </summary>
internal static class GrpcTrailers
{
    /// <summary>"0" in Huffman code, padded with ones.</summary>
    private const byte HuffmanZero = 0x07;

    private static ReadOnlySpan<byte> StatusName => "grpc-status"u8;

    private static ReadOnlySpan<byte> HuffmanStatusName => [0x9A, 0xCA, 0xC8, 0xB2, 0x12, 0x34, 0xDA, 0x8F];

    private static ReadOnlySpan<byte> MessageName => "grpc-message"u8;

    /// <summary>Null if the call succeeded; else why not.</summary>
    public static string? Failure(ReadOnlySpan<byte> block)
    {
        string? status = null;
        var message = "";
        while (!block.IsEmpty)
        {
            if (!TryReadField(ref block, out var name, out var value, out var huffmanValue))
            {
                continue;
            }

            if (name.SequenceEqual(StatusName) || name.SequenceEqual(HuffmanStatusName))
            {
                status = huffmanValue ? (value is [HuffmanZero] ? "0" : "other than 0") : Encoding.ASCII.GetString(value);
            }
            else if (name.SequenceEqual(MessageName) && !huffmanValue)
            {
                message = ": " + Uri.UnescapeDataString(Encoding.ASCII.GetString(value));
            }
        }

        return status switch
        {
            "0" => null,
            null => "the answer carries no grpc-status",
            _ => $"grpc-status {status}{message}",
        };
    }

    /// <summary>Reads one entry; false for one that holds no text of its own.</summary>
    private static bool TryReadField(
        ref ReadOnlySpan<byte> block, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value, out bool huffmanValue)
    {
        name = value = default;
        huffmanValue = false;
        var kind = block[0];
        if ((kind & 0x80) != 0)
        {
            ReadInteger(ref block, 7);
            return false;
        }

        if ((kind & 0xE0) == 0x20)
        {
            ReadInteger(ref block, 5);
            return false;
        }

        if (ReadInteger(ref block, (kind & 0x40) != 0 ? 6 : 4) == 0)
        {
            name = ReadText(ref block, out _);
        }

        value = ReadText(ref block, out huffmanValue);
        return true;
    }

    private static ReadOnlySpan<byte> ReadText(ref ReadOnlySpan<byte> block, out bool huffman)
    {
        huffman = !block.IsEmpty && (block[0] & 0x80) != 0;
        var length = ReadInteger(ref block, 7);
        if (length > block.Length)
        {
            throw Malformed();
        }

        var text = block[..length];
        block = block[length..];
        return text;
    }

    private static int ReadInteger(ref ReadOnlySpan<byte> block, int prefixBits)
    {
        var mask = (1 << prefixBits) - 1;
        long value = Next(ref block) & mask;
        if (value < mask)
        {
            return (int)value;
        }

        for (var shift = 0; shift < 28; shift += 7)
        {
            var next = Next(ref block);
            value += (long)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return (int)value;
            }
        }

        throw Malformed();
    }

    private static byte Next(ref ReadOnlySpan<byte> block)
    {
        if (block.IsEmpty)
        {
            throw Malformed();
        }

        var next = block[0];
        block = block[1..];
        return next;
    }

    private static InvalidDataException Malformed() => new("the answer's trailers are not a header block");
}
