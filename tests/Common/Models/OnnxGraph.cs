using System.Globalization;
using System.Runtime.InteropServices;

namespace Cluster.Tests.Common;

/// <summary>Writes ONNX models (IR version 8, opset 17) with one input <c>X</c> FP32 [1] and one output <c>Y</c> FP32.</summary>
public sealed class OnnxGraph
{
    private const int Float = 1;
    private const int Int64 = 7;

    private readonly ProtoMessage _graph = new();
    private int _names;

    /// <summary>A constant; returns its name.</summary>
    public string Constant(ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) => Initializer(Float, MemoryMarshal.AsBytes(values), shape);

    /// <summary>A node with one output; returns the output's name.</summary>
    /// <param name="attributes">Integers.</param>
    public string Node(string type, IReadOnlyList<string> inputs, params ReadOnlySpan<(string Name, long Value)> attributes) =>
        NodeTo(NewName(), type, inputs, attributes);

    /// <inheritdoc cref="Node"/>
    public string NodeTo(string output, string type, IReadOnlyList<string> inputs, params ReadOnlySpan<(string Name, long Value)> attributes)
    {
        var node = new ProtoMessage();
        foreach (var input in inputs)
        {
            node.Text(1, input);
        }

        node.Text(2, output).Text(4, type);
        foreach (var (name, value) in attributes)
        {
            node.Message(5, new ProtoMessage().Text(1, name).Number(3, value).Number(20, 2));
        }

        _graph.Message(1, node);
        return output;
    }

    /// <summary>The finished model.</summary>
    /// <param name="outputShape">Of <c>Y</c>.</param>
    public byte[] ToBytes(params ReadOnlySpan<long> outputShape)
    {
        _graph.Text(2, "graph").Message(11, Value("X", [1])).Message(12, Value("Y", outputShape));
        return new ProtoMessage().Number(1, 8).Text(2, "cluster-tests").Message(7, _graph).Message(8, new ProtoMessage().Text(1, "").Number(2, 17)).ToBytes();
    }

    /// <summary>The node attribute of a cast to INT64.</summary>
    public static (string Name, long Value) ToInt64 => ("to", Int64);

    private static ProtoMessage Value(string name, ReadOnlySpan<long> shape)
    {
        var dimensions = new ProtoMessage();
        foreach (var size in shape)
        {
            dimensions.Message(1, new ProtoMessage().Number(1, size));
        }

        return new ProtoMessage().Text(1, name).Message(2, new ProtoMessage().Message(1, new ProtoMessage().Number(1, Float).Message(2, dimensions)));
    }

    private string Initializer(int type, ReadOnlySpan<byte> bytes, ReadOnlySpan<long> shape)
    {
        var name = NewName();
        var tensor = new ProtoMessage();
        foreach (var size in shape)
        {
            tensor.Number(1, size);
        }

        _graph.Message(5, tensor.Number(2, type).Text(8, name).Bytes(9, bytes));
        return name;
    }

    private string NewName() => string.Create(CultureInfo.InvariantCulture, $"t{_names++}");
}
