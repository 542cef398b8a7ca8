using System.Text;
using Cluster.Contracts.Wire;

namespace Cluster.Unit.Trust;

/// <summary>Parts of .onnx files, hostile ones too (onnx.proto gives the numbers).</summary>
internal static class OnnxBytes
{
    public const int Float = 1;

    /// <summary>A model of one graph x → y, y = x + w, with what is added to the graph.</summary>
    public static byte[] Model(params byte[][] graphParts) => Bare(
        Join([Part(1, Node("Add", "x", "w", "y")), Text(2, "g"), .. graphParts, Part(11, Value("x")), Part(12, Value("y"))]));

    /// <summary>A model of a graph.</summary>
    public static byte[] Bare(byte[] graph) => Join(Number(1, 8), Part(7, graph), Part(8, Join(Text(1, ""), Number(2, 17))));

    /// <summary>A model that gives its input x of a type back as y, or nothing.</summary>
    public static byte[] Identity(ulong type, bool hasOutput) => Join(
        Number(1, 9),
        Part(7, Join(
            Part(1, Join(Text(1, "x"), Text(2, "y"), Text(4, "Identity"))), Text(2, "g"), Part(11, Value("x", type)), hasOutput ? Part(12, Value("y", type)) : [])),
        Part(8, Join(Text(1, ""), Number(2, 19))));

    public static byte[] Node(string type, string left, string right, string output, params byte[][] attributes) =>
        Join([Text(1, left), Text(1, right), Text(2, output), Text(4, type), .. attributes.Select(static attribute => Part(5, attribute))]);

    /// <summary>An initializer of the graph with its data in it.</summary>
    public static byte[] Initializer(string name, params float[] values) => Part(5, Join(
        Number(1, (ulong)values.Length), Number(2, Float), Text(8, name), Part(9, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray())));

    /// <summary>A tensor that declares a shape and has no data.</summary>
    public static byte[] Shape(string name, ulong type, params ulong[] dimensions) =>
        Join([.. dimensions.Select(static size => Number(1, size)), Number(2, type), Text(8, name)]);

    /// <summary>The same with the dimensions packed, as newer writers do.</summary>
    public static byte[] PackedShape(string name, ulong type, params ulong[] dimensions) =>
        Join(Part(1, Join([.. dimensions.Select(static size => Number(0, size)[1..])])), Number(2, type), Text(8, name));

    /// <summary>A tensor of floats with external data.</summary>
    public static byte[] External(string name, ulong count, params (string Key, string Value)[] entries) => Join(
        [Number(1, count), Number(2, Float), Text(8, name), .. entries.Select(static entry => Part(13, Join(Text(1, entry.Key), Text(2, entry.Value)))), Number(14, 1)]);

    /// <summary>An attribute with a graph that holds graphs, so deep.</summary>
    public static byte[] Nested(int depth)
    {
        var graph = Text(2, "inner");
        for (var i = 1; i < depth; i++)
        {
            graph = Part(1, Node("If", "c", "c", "o", Part(6, graph)));
        }

        return Part(6, graph);
    }

    public static byte[] Part(int field, byte[] value)
    {
        var bytes = new byte[ProtoWriter.FieldSize(field, value.Length)];
        new ProtoWriter(bytes).WriteField(field, value);
        return bytes;
    }

    public static byte[] Text(int field, string text) => Part(field, Encoding.UTF8.GetBytes(text));

    public static byte[] Number(int field, ulong value)
    {
        var bytes = new byte[2 * ProtoWriter.MaxVarintSize];
        var writer = new ProtoWriter(bytes);
        writer.WriteTag(field, WireType.Varint);
        writer.WriteVarint(value);
        return bytes[..writer.Position];
    }

    public static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(static part => part)];

    private static byte[] Value(string name, ulong type = Float) => Join(Text(1, name), Part(2, Part(1, Join(Number(1, type), Part(2, Part(1, Text(2, "n")))))));
}
