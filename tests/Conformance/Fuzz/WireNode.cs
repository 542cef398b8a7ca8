using System.Diagnostics.CodeAnalysis;

namespace Cluster.Conformance.Fuzz;

/// <summary>A field of a protobuf message, taken apart so far that each part can be wrong on its own.</summary>
internal sealed class WireNode
{
    private const int Varints = 0;
    private const int Fixed64 = 1;
    private const int Length = 2;
    private const int Fixed32 = 5;

    public ulong Number { get; set; }

    public int WireType { get; set; }

    /// <summary>The bytes behind the tag, without a length; unused where there are children.</summary>
    public byte[] Payload { get; set; } = [];

    public List<WireNode>? Children { get; set; }

    /// <summary>What the length says instead of the truth.</summary>
    public ulong? Lie { get; set; }

    /// <summary>Superfluous bytes in the tag and the length.</summary>
    public int Padding { get; set; }

    /// <param name="padding">Bytes more than needed.</param>
    public static byte[] Varint(ulong value, int padding = 0)
    {
        var bytes = new List<byte>();
        for (; value > 0x7F; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        bytes.Add((byte)value);
        for (; padding > 0; padding--)
        {
            bytes[^1] |= 0x80;
            bytes.Add(0);
        }

        return [.. bytes];
    }

    /// <summary>The fields of a message; what looks like a message inside is taken apart too.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, int depth, [NotNullWhen(true)] out List<WireNode>? nodes)
    {
        nodes = [];
        while (!bytes.IsEmpty)
        {
            if (!TryVarint(ref bytes, out var tag) || tag >> 3 == 0 || !TryPayload(ref bytes, (int)(tag & 7), out var payload))
            {
                nodes = null;
                return false;
            }

            var node = new WireNode { Number = tag >> 3, WireType = (int)(tag & 7), Payload = payload };
            if (node.WireType == Length && depth > 0 && payload.Length > 0 && TryParse(payload, depth - 1, out var children))
            {
                node.Children = children;
            }

            nodes.Add(node);
        }

        return true;
    }

    public static byte[] Write(IEnumerable<WireNode> nodes)
    {
        var bytes = new List<byte>();
        foreach (var node in nodes)
        {
            node.Write(bytes);
        }

        return [.. bytes];
    }

    /// <summary>Every list of fields in the tree, the given one included.</summary>
    public static IEnumerable<List<WireNode>> Lists(List<WireNode> nodes) =>
        nodes.Where(node => node.Children is not null).SelectMany(node => Lists(node.Children!)).Prepend(nodes);

    public WireNode Copy() => new()
    {
        Number = Number,
        WireType = WireType,
        Payload = Payload,
        Children = Children?.ConvertAll(child => child.Copy()),
        Lie = Lie,
        Padding = Padding,
    };

    private void Write(List<byte> bytes)
    {
        bytes.AddRange(Varint((Number << 3) | (uint)WireType, Padding));
        var payload = Children is null ? Payload : Write(Children);
        if (WireType == Length)
        {
            bytes.AddRange(Varint(Lie ?? (ulong)payload.Length, Padding));
        }

        bytes.AddRange(payload);
    }

    private static bool TryVarint(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var i = 0; i < bytes.Length && i < 10; i++)
        {
            value |= (ulong)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] < 0x80)
            {
                bytes = bytes[(i + 1)..];
                return true;
            }
        }

        return false;
    }

    private static bool TryPayload(ref ReadOnlySpan<byte> bytes, int wireType, out byte[] payload)
    {
        payload = [];
        var before = bytes;
        ulong length = 0;
        var known = wireType switch
        {
            Varints => TryVarint(ref bytes, out _),
            Fixed64 => Is(8, out length),
            Fixed32 => Is(4, out length),
            Length => TryVarint(ref bytes, out length),
            _ => false,
        };
        if (!known || length > (ulong)bytes.Length)
        {
            return false;
        }

        payload = wireType == Varints ? before[..^bytes.Length].ToArray() : bytes[..(int)length].ToArray();
        bytes = bytes[(int)length..];
        return true;

        static bool Is(ulong size, out ulong length)
        {
            length = size;
            return true;
        }
    }
}
