using System.Text;
using Cluster.Contracts.Wire;

namespace Cluster.Unit.Grains;

/// <summary>Writes ONNX files by hand, for graphs that declare what is not so or take long to load (onnx.proto gives the numbers).</summary>
internal static class OnnxFile
{
    private const int Float = 1;
    private const int AttributeTypeInt = 2;

    /// <summary>A graph x → y that repeats x along its first dimension; each dimension of the declared shapes is a number or a name.</summary>
    /// <param name="outputShape">Null leaves the shape undeclared.</param>
    public static byte[] Doubling(string[] inputShape, string[]? outputShape) => Model(
        Concat("x", "y"), [Value("x", inputShape)], [Value("y", outputShape)]);

    /// <summary>A graph x → y = x + x.</summary>
    /// <param name="outputShape">Null is that of the input.</param>
    public static byte[] Sum(string[] shape, string[]? outputShape = null) => Model(Add("x", "y"), [Value("x", shape)], [Value("y", outputShape ?? shape)]);

    /// <summary>A graph x → y = x.</summary>
    /// <param name="type">Of the elements, by its number in onnx.proto.</param>
    public static byte[] Identity(int type, string[] shape) => Model(
        [.. Text(1, "x"), .. Text(2, "y"), .. Text(4, "Identity")], [Value("x", shape, type)], [Value("y", shape, type)]);

    /// <summary>A graph x → y = x + x and z → w = z + z, matrices of a row a request and of columns that requests choose.</summary>
    /// <param name="output">The graph's name for the columns of y.</param>
    public static byte[] TwoSums(string first, string second, string? output = null) => Model(
        [Add("x", "y"), [.. Text(1, "z"), .. Text(1, "z"), .. Text(2, "w"), .. Text(4, "Add")]],
        [Value("x", ["n", first]), Value("z", ["n", second])],
        [Value("y", ["n", output ?? first]), Value("w", ["n", second])]);

    /// <summary>A graph x, z → y = x × z, matrices of any size.</summary>
    public static byte[] Product() => Model(
        [.. Text(1, "x"), .. Text(1, "z"), .. Text(2, "y"), .. Text(4, "MatMul")], [Value("x", ["2", "n"]), Value("z", ["3", "4"])], [Value("y", ["2", "4"])]);

    /// <summary>A graph x → y of so many nodes in a row, each of which adds x to what it has.</summary>
    public static byte[] Chain(int nodes)
    {
        var chain = Enumerable.Range(0, nodes).Select(i => Add(i == 0 ? "x" : $"t{i}", i == nodes - 1 ? "y" : $"t{i + 1}"));
        return Model(chain, [Value("x", ["1"])], [Value("y", ["1"])]);
    }

    /// <summary>A graph x → sum, all: a tensor x + x, and the sequence of both.</summary>
    public static byte[] TensorAndSequence() => Model(
        [Add("x", "sum"), [.. Text(1, "x"), .. Text(1, "sum"), .. Text(2, "all"), .. Text(4, "SequenceConstruct")]],
        [Value("x", ["n"])],
        [[.. Text(1, "all"), .. Part(2, Part(4, Part(1, Part(1, Number(1, Float)))))], Value("sum", ["n"])]);

    /// <summary>A file that is no model for ONNX Runtime: of a version that there is not, with an operator or external data that there are not.</summary>
    public static byte[] Unloadable(string kind) => kind switch
    {
        "version" => [.. Number(1, 99), .. Doubling(["1"], ["2"])[2..]],
        "operator" => Model([.. Text(1, "x"), .. Text(2, "y"), .. Text(4, "NoSuchOperator")], [Value("x", ["1"])], [Value("y", ["1"])]),
        _ =>
        [
            .. Number(1, 8),
            .. Part(7,
            [
                .. Part(1, Add("w", "y")), .. Text(2, "hand-made"), .. Part(5, ExternalTensor("w", "missing.bin")),
                .. Part(11, Value("x", ["1"])), .. Part(12, Value("y", ["1"])),
            ]),
            .. Part(8, [.. Text(1, ""), .. Number(2, 17)]),
        ],
    };

    private static byte[] ExternalTensor(string name, string file) =>
    [
        .. Number(1, 1), .. Number(2, Float), .. Text(8, name), .. Part(13, [.. Text(1, "location"), .. Text(2, file)]), .. Number(14, 1),
    ];

    private static byte[] Model(byte[] node, byte[][] inputs, byte[][] outputs) => Model([node], inputs, outputs);

    private static byte[] Model(IEnumerable<byte[]> nodes, byte[][] inputs, byte[][] outputs) =>
    [
        .. Number(1, 8),
        .. Part(7,
        [
            .. nodes.SelectMany(node => Part(1, node)),
            .. Text(2, "hand-made"),
            .. inputs.SelectMany(input => Part(11, input)),
            .. outputs.SelectMany(output => Part(12, output)),
        ]),
        .. Part(8, [.. Text(1, ""), .. Number(2, 17)]),
    ];

    private static byte[] Concat(string input, string output) =>
    [
        .. Text(1, input), .. Text(1, input), .. Text(2, output), .. Text(4, "Concat"),
        .. Part(5, [.. Text(1, "axis"), .. Number(3, 0), .. Number(20, AttributeTypeInt)]),
    ];

    private static byte[] Add(string input, string output) => [.. Text(1, input), .. Text(1, "x"), .. Text(2, output), .. Text(4, "Add")];

    private static byte[] Value(string name, string[]? shape, int type = Float)
    {
        byte[] declared = shape is null ? [] : Part(2, [.. shape.SelectMany(size => Part(1, Dimension(size)))]);
        return [.. Text(1, name), .. Part(2, Part(1, [.. Number(1, (ulong)type), .. declared]))];
    }

    private static byte[] Dimension(string size) => long.TryParse(size, out var number) ? Number(1, (ulong)number) : Text(2, size);

    private static byte[] Text(int field, string text) => Part(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Part(int field, byte[] value)
    {
        var bytes = new byte[ProtoWriter.FieldSize(field, value.Length)];
        new ProtoWriter(bytes).WriteField(field, value);
        return bytes;
    }

    private static byte[] Number(int field, ulong value)
    {
        var bytes = new byte[2 * ProtoWriter.MaxVarintSize];
        var writer = new ProtoWriter(bytes);
        writer.WriteTag(field, WireType.Varint);
        writer.WriteVarint(value);
        return bytes[..writer.Position];
    }
}
