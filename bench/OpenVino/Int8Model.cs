using Cluster.Bench.Load;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Bench.OpenVino;

/// <summary>
/// Makes an int8 model of an FP32 one. Activations get a QuantizeLinear and a DequantizeLinear (uint8, ranges of one run), weights of products are int8, biases
/// int32; each has one scale.
/// </summary>
internal sealed class Int8Model
{
    private const int UInt8 = 2;
    private const int Int8 = 3;
    private const int Int32 = 6;
    private const int Float = 1;

    private static readonly HashSet<string> Products = ["Conv", "MatMul", "Gemm"];

    /// <summary>Their results are kept in 8 bits too, so that no product has to leave and enter them.</summary>
    private static readonly HashSet<string> Between = ["Relu", "Concat", "Sum", "Add", "MaxPool"];

    private readonly OnnxFile _file;
    private readonly HashSet<string> _quantized = [];
    private readonly Dictionary<string, (float Scale, byte Zero)> _ranges = [];

    private Int8Model(OnnxFile file) => _file = file;

    /// <summary>Writes the int8 form of a model with one FP32 input.</summary>
    /// <exception cref="OnnxRuntimeException">The model does not load or run.</exception>
    public static void Write(string from, Workload workload, string to)
    {
        // Constants become initializers, and batch normalizations parts of convolutions.
        using (var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC, OptimizedModelFilePath = to, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR })
        {
            new InferenceSession(from, options).Dispose();
        }

        var model = new Int8Model(OnnxFile.Read(to));
        model.Choose();
        model.Calibrate(workload);
        File.WriteAllBytes(to, model.Rewrite());
    }

    private void Choose()
    {
        var consumers = _file.Nodes.SelectMany(static node => node.Inputs.Select(input => (input, node))).ToLookup(static pair => pair.input, static pair => pair.node);
        var outputs = _file.OutputNames.ToHashSet(StringComparer.Ordinal);
        foreach (var node in _file.Nodes.Where(IsProduct))
        {
            _quantized.Add(node.Inputs[0]);
        }

        foreach (var node in _file.Nodes.Where(node => Between.Contains(node.Type) || IsProduct(node)))
        {
            // A rectifier behind a product is a part of it.
            var isWhole = !IsProduct(node) || consumers[node.Outputs[0]].ToList() is not [{ Type: "Relu" }];
            if (isWhole && !outputs.Contains(node.Outputs[0]))
            {
                _quantized.Add(node.Outputs[0]);
            }
        }
    }

    private bool IsProduct(OnnxNode node) => Products.Contains(node.Type) && _file.Floats(node.Inputs[1]) is not null;

    private void Calibrate(Workload workload)
    {
        List<string> asked = [.. _quantized.Where(name => !_file.InputNames.Contains(name))];
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(_file.ToBytes(asked), options);
        using var run = new RunOptions();
        using var input = OrtValue.CreateTensorValueFromMemory(workload.Input, workload.Shape);
        using var outputs = session.Run(run, [workload.InputName], [input], asked);
        foreach (var (name, output) in asked.Zip(outputs))
        {
            _ranges[name] = RangeOf(output.GetTensorDataAsSpan<float>());
        }

        _ranges[workload.InputName] = RangeOf(workload.Input);

        // The largest of numbers has their scale: it is passed on as it is.
        foreach (var pool in _file.Nodes.Where(node => node.Type == "MaxPool" && _quantized.Contains(node.Outputs[0]) && _ranges.ContainsKey(node.Inputs[0])))
        {
            _ranges[pool.Outputs[0]] = _ranges[pool.Inputs[0]];
        }
    }

    private static (float Scale, byte Zero) RangeOf(ReadOnlySpan<float> values)
    {
        var (least, most) = (0f, 0f);
        foreach (var value in values)
        {
            (least, most) = (Math.Min(least, value), Math.Max(most, value));
        }

        var scale = most > least ? (most - least) / byte.MaxValue : 1;
        return (scale, (byte)Math.Clamp(MathF.Round(-least / scale), byte.MinValue, byte.MaxValue));
    }

    private byte[] Rewrite()
    {
        List<OnnxNode> before = [.. _file.Nodes];
        _file.Nodes.Clear();
        foreach (var input in _file.InputNames.Where(_quantized.Contains))
        {
            Quantize(input);
        }

        foreach (var node in before)
        {
            var product = IsProduct(node) ? node.Inputs[0] : null;
            for (var i = 0; i < node.Inputs.Count; i++)
            {
                node.Inputs[i] = _quantized.Contains(node.Inputs[i]) ? node.Inputs[i] + "_8" : node.Inputs[i];
            }

            if (product is not null)
            {
                QuantizeWeights(node, _ranges[product].Scale);
            }

            _file.Nodes.Add(node);
            foreach (var output in node.Outputs.Where(_quantized.Contains))
            {
                Quantize(output);
            }
        }

        return _file.ToBytes();
    }

    private void Quantize(string name)
    {
        var (scale, zero) = _ranges[name];
        string[] range = [_file.Add<float>(name + "_scale", Float, [scale]), _file.Add<byte>(name + "_zero", UInt8, [zero])];
        _file.Nodes.Add(OnnxNode.Of("QuantizeLinear", name + "_u8", [name, .. range]));
        _file.Nodes.Add(OnnxNode.Of("DequantizeLinear", name + "_8", [name + "_u8", .. range]));
    }

    private void QuantizeWeights(OnnxNode node, float inputScale)
    {
        var name = node.Outputs[0] + "_w";
        var (shape, values) = _file.Floats(node.Inputs[1])!.Value;
        var largest = values.Max(MathF.Abs);
        var scale = largest > 0 ? largest / sbyte.MaxValue : 1;
        _file.Add<sbyte>(name + "8", Int8, [.. values.Select(value => (sbyte)MathF.Round(value / scale))], shape);
        _file.Nodes.Add(OnnxNode.Of("DequantizeLinear", name, name + "8", _file.Add<float>(name + "_scale", Float, [scale]), _file.Add<sbyte>(name + "_zero", Int8, [0])));
        node.Inputs[1] = name;
        if (node.Inputs.Count > 2 && _file.Floats(node.Inputs[2]) is var (biasShape, biases))
        {
            // As the sums that it is added to.
            var sum = (double)inputScale * scale;
            name = node.Outputs[0] + "_b";
            _file.Add<int>(name + "32", Int32, [.. biases.Select(bias => (int)Math.Clamp(Math.Round(bias / sum), int.MinValue, int.MaxValue))], biasShape);
            _file.Nodes.Add(OnnxNode.Of("DequantizeLinear", name, name + "32", _file.Add<float>(name + "_scale", Float, [(float)sum])));
            node.Inputs[2] = name;
        }
    }
}
