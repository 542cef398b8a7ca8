using System.Runtime.InteropServices;
using System.Text;
using Cluster.Tests.Common;

namespace Cluster.Bench.OpenVino;

/// <summary>A model's file, to be changed and written again. Numbers of fields are those of <c>onnx.proto</c>.</summary>
internal sealed class OnnxFile
{
    /// <summary>In which initializers are no inputs.</summary>
    private const ulong IrVersion = 8;

    /// <summary>The first with QuantizeLinear.</summary>
    private const ulong LeastOpset = 10;

    private const int Float = 1;

    private readonly ProtoFields _model;
    private readonly ProtoFields _graph;

    private OnnxFile(byte[] bytes)
    {
        _model = ProtoFields.Parse(bytes);
        _graph = ProtoFields.Parse(_model.Messages(7).Single());
        Nodes = [.. _graph.Messages(1).Select(static node => new OnnxNode(ProtoFields.Parse(node)))];
        Initializers = _graph.Messages(5).ToDictionary(static tensor => ProtoFields.Parse(tensor).Text(8));

        // In old files initializers are inputs too, also those that an optimization has left without use.
        var used = Nodes.SelectMany(static node => node.Inputs).ToHashSet(StringComparer.Ordinal);
        Inputs = [.. _graph.Messages(11).Where(input => !Initializers.ContainsKey(NameOf(input)) && used.Contains(NameOf(input)))];
        Outputs = [.. _graph.Messages(12)];
    }

    public List<OnnxNode> Nodes { get; }

    /// <summary>Tensors by name.</summary>
    public Dictionary<string, byte[]> Initializers { get; }

    private List<byte[]> Inputs { get; }

    private List<byte[]> Outputs { get; }

    public IEnumerable<string> InputNames => Inputs.Select(NameOf);

    public IEnumerable<string> OutputNames => Outputs.Select(NameOf);

    public static OnnxFile Read(string path) => new(File.ReadAllBytes(path));

    /// <summary>The shape and the values of an FP32 tensor; null for one of another type.</summary>
    public (long[] Shape, float[] Values)? Floats(string name)
    {
        if (!Initializers.TryGetValue(name, out var bytes) || ProtoFields.Parse(bytes) is not { } tensor || tensor.Numbers(2).FirstOrDefault() != Float)
        {
            return null;
        }

        // As raw bytes, or packed.
        var values = MemoryMarshal.Cast<byte, float>(tensor.Messages(9).Concat(tensor.Messages(4)).First()).ToArray();
        return ([.. tensor.Numbers(1).Select(static size => (long)size), .. tensor.Messages(1).SelectMany(Packed)], values);
    }

    /// <summary>Adds a tensor; returns its name.</summary>
    /// <param name="type">ONNX's number of it.</param>
    public string Add<T>(string name, int type, ReadOnlySpan<T> values, params ReadOnlySpan<long> shape)
        where T : unmanaged
    {
        var tensor = new ProtoMessage();
        foreach (var size in shape)
        {
            tensor.Number(1, size);
        }

        Initializers[name] = tensor.Number(2, type).Text(8, name).Bytes(9, MemoryMarshal.AsBytes(values)).ToBytes();
        return name;
    }

    /// <summary>The model, with more outputs of FP32.</summary>
    public byte[] ToBytes(params IEnumerable<string> outputs)
    {
        var used = Nodes.SelectMany(static node => node.Inputs).ToHashSet(StringComparer.Ordinal);
        _graph.Set(1, Nodes.Select(static node => node.ToBytes()));
        _graph.Set(5, Initializers.Where(tensor => used.Contains(tensor.Key)).Select(static tensor => tensor.Value));
        _graph.Set(11, Inputs);
        _graph.Set(12, Outputs.Concat(outputs.Select(static name => new ProtoMessage().Text(1, name).Message(2, new ProtoMessage().Message(1, new ProtoMessage().Number(1, Float))).ToBytes())));
        _model.Set(7, [_graph.ToBytes()]);
        _model.Set(1, IrVersion);
        _model.Set(8, _model.Messages(8).Select(Raised).ToList());
        return _model.ToBytes();
    }

    private static byte[] Raised(byte[] opset)
    {
        var fields = ProtoFields.Parse(opset);
        if (fields.Text(1).Length == 0)
        {
            fields.Set(2, Math.Max(LeastOpset, fields.Numbers(2).First()));
        }

        return fields.ToBytes();
    }

    private static IEnumerable<long> Packed(byte[] numbers)
    {
        using var input = new Google.Protobuf.CodedInputStream(numbers);
        var values = new List<long>();
        while (!input.IsAtEnd)
        {
            values.Add(input.ReadInt64());
        }

        return values;
    }

    private static string NameOf(byte[] value) => ProtoFields.Parse(value).Text(1);
}

/// <summary>An operation of a graph.</summary>
internal sealed class OnnxNode(ProtoFields fields)
{
    public string Type => fields.Text(4);

    public List<string> Inputs { get; } = [.. fields.Messages(1).Select(Encoding.UTF8.GetString)];

    public IReadOnlyList<string> Outputs { get; } = [.. fields.Messages(2).Select(Encoding.UTF8.GetString)];

    public static OnnxNode Of(string type, string output, params IReadOnlyList<string> inputs)
    {
        var node = new ProtoMessage();
        foreach (var input in inputs)
        {
            node.Text(1, input);
        }

        return new OnnxNode(ProtoFields.Parse(node.Text(2, output).Text(3, output).Text(4, type).ToBytes()));
    }

    public byte[] ToBytes()
    {
        fields.Set(1, Inputs.Select(Encoding.UTF8.GetBytes).ToList());
        return fields.ToBytes();
    }
}
