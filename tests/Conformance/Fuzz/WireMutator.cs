using System.Text;

namespace Cluster.Conformance.Fuzz;

/// <summary>Builds protobuf messages whose parts are wrong one by one: order, count, numbers, wire types, lengths, text.</summary>
internal static class WireMutator
{
    private const int Depth = 4;

    /// <summary>Bytes that copies of a field may add.</summary>
    private const int CopiesSize = 1 << 18;

    private static readonly ulong[] Numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 19000, (1 << 29) - 1, 1 << 29, uint.MaxValue, ulong.MaxValue >> 3];

    private static readonly byte[][] Texts =
    [
        [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80], [0xE2, 0x82], [0], [], [(byte)'a', 0, (byte)'b'],
        Encoding.UTF8.GetBytes("\ufeffINPUT0"), Encoding.UTF8.GetBytes("INPUT0 "), Encoding.UTF8.GetBytes(new string('x', 70_000)),
        Encoding.UTF8.GetBytes("../../etc/passwd"), Encoding.UTF8.GetBytes("%00%n\r\nx: y"), Encoding.UTF8.GetBytes("😀"),
    ];

    /// <param name="message">A valid message.</param>
    public static byte[] Mutate(Random random, byte[] message)
    {
        if (!WireNode.TryParse(message, Depth, out var root))
        {
            throw new ArgumentException("not a valid message", nameof(message));
        }

        for (var left = random.Next(1, 4); left > 0; left--)
        {
            var list = random.Pick(WireNode.Lists(root).ToList());
            if (list.Count > 0)
            {
                MutateOnce(random, list);
            }
        }

        return WireNode.Write(root);
    }

    private static void MutateOnce(Random random, List<WireNode> list)
    {
        var at = random.Next(list.Count);
        var node = list[at];
        switch (random.Next(12))
        {
            case 0:
                list.RemoveAt(at);
                break;
            case 1:
                list.Insert(random.Next(list.Count + 1), node.Copy());
                break;
            case 2:
                var copies = Math.Min(random.OneIn(10) ? 2000 : random.Next(1, 20), CopiesSize / WireNode.Write([node]).Length);
                list.AddRange(Enumerable.Range(0, copies).Select(_ => node.Copy()));
                break;
            case 3:
                (list[0], list[at]) = (list[at], list[0]);
                break;
            case 4:
                node.Number = random.Pick(Numbers);
                break;
            case 5:
                node.WireType = random.Next(8);
                break;
            case 6:
                node.Lie = (ulong)random.Extreme();
                break;
            case 7:
                node.Padding = random.Next(1, 12);
                break;
            case 8 when node.WireType == 0:
                node.Payload = WireNode.Varint((ulong)random.Extreme(), random.Next(3));
                break;
            case 8 or 9:
                node.Children = null;
                node.Payload = random.Pick(Texts);
                break;
            case 10:
                list.Insert(at, Group(random, list));
                break;
            default:
                node.Children = null;
                node.Payload = ByteMutator.Mutate(random, node.Payload, node.Payload);
                break;
        }
    }

    /// <summary>Nested groups, which readers must skip without using up their stack, closed or not.</summary>
    private static WireNode Group(Random random, List<WireNode> content)
    {
        var depth = random.OneIn(4) ? random.Next(5000) : random.Next(1, 120);
        var open = Enumerable.Repeat(new WireNode { Number = 20, WireType = 3 }, depth);
        var close = Enumerable.Repeat(new WireNode { Number = random.OneIn(8) ? 21u : 20u, WireType = 4 }, random.OneIn(8) ? depth - 1 : depth);
        return new WireNode { Number = 20, WireType = 3, Payload = WireNode.Write([.. open, .. content.Take(2), .. close, new WireNode { Number = 20, WireType = 4 }]) };
    }
}
