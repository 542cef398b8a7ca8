using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Wire;

/// <summary>
/// Where everything is in the bytes of a <c>ModelInferRequest</c>: tensors stay in place. Meant to be reused: one instance a
/// thread, <see cref="Parse"/> for each request. Slices refer to the bytes last parsed.
/// </summary>
public sealed class InferRequestMessage
{
    /// <summary>More tensors than any model has; a message with more is refused before it costs memory.</summary>
    private const int MaxTensors = 4096;

    /// <summary>ONNX Runtime has no use for more dimensions, and the lists must not grow with hostile input.</summary>
    private const int MaxDimensions = 64 * MaxTensors;

    private const string Name = "ModelInferRequest";

    private readonly List<TensorSlice> _inputs = [];
    private readonly List<RequestedOutput> _outputs = [];
    private readonly List<Slice> _rawContents = [];
    private readonly List<InferParameterValue> _parameters = [];
    private readonly List<long> _dimensions = [];

    public Slice ModelName { get; private set; }

    public Slice ModelVersion { get; private set; }

    public Slice Id { get; private set; }

    public IReadOnlyList<TensorSlice> Inputs => _inputs;

    public IReadOnlyList<RequestedOutput> Outputs => _outputs;

    public IReadOnlyList<Slice> RawContents => _rawContents;

    public IReadOnlyList<InferParameterValue> Parameters => _parameters;

    /// <summary>The dimensions of <paramref name="tensor"/>, outermost first.</summary>
    public ReadOnlySpan<long> Shape(in TensorSlice tensor) =>
        System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_dimensions).Slice(tensor.FirstDimension, tensor.Rank);

    /// <summary>Reads <paramref name="message"/>, replacing what was read before.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: the bytes are not a <c>ModelInferRequest</c>.</exception>
    public void Parse(ReadOnlySpan<byte> message)
    {
        Clear();
        var reader = new ProtoReader(message, Name);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case InferFields.ModelName:
                    ModelName = reader.ReadString();
                    break;
                case InferFields.ModelVersion:
                    ModelVersion = reader.ReadString();
                    break;
                case InferFields.Id:
                    Id = reader.ReadString();
                    break;
                case InferFields.Parameters:
                    Limit(_parameters.Count, "parameters");
                    _parameters.Add(ParseParameter(message, reader.ReadSlice()));
                    break;
                case InferFields.Tensors:
                    Limit(_inputs.Count, "inputs");
                    _inputs.Add(TensorParser.Parse(message, reader.ReadSlice(), _dimensions, MaxDimensions, "InferInputTensor"));
                    break;
                case InferFields.RequestedOutputs:
                    Limit(_outputs.Count, "outputs");
                    _outputs.Add(ParseOutput(message, reader.ReadSlice()));
                    break;
                case InferFields.RawInputContents:
                    Limit(_rawContents.Count, "raw_input_contents");
                    _rawContents.Add(reader.ReadSlice());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private static void Limit(int count, string what)
    {
        if (count >= MaxTensors)
        {
            throw ServingException.InvalidArgument($"{Name} has more than {MaxTensors} {what}");
        }
    }

    private static RequestedOutput ParseOutput(ReadOnlySpan<byte> message, Slice range)
    {
        Slice name = default;
        long classification = 0;
        var reader = new ProtoReader(message, range, "InferRequestedOutputTensor");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    name = reader.ReadString();
                    break;
                case 2:
                    var parameter = ParseParameter(message, reader.ReadSlice());
                    if (parameter.Key.Of(message).SequenceEqual("classification"u8))
                    {
                        classification = Classification(message, name, parameter);
                    }

                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new RequestedOutput(name, classification);
    }

    private static long Classification(ReadOnlySpan<byte> message, Slice output, in InferParameterValue parameter)
    {
        if (parameter.Kind is not (InferParameterKind.Int64 or InferParameterKind.UInt64) || parameter.Bits <= 0)
        {
            throw ServingException.InvalidArgument(
                $"invalid value type for 'classification' parameter of output '{Utf8Text.Of(message, output)}', expected int64_param of at least 1");
        }

        return parameter.Bits;
    }

    private static InferParameterValue ParseParameter(ReadOnlySpan<byte> message, Slice range)
    {
        Slice key = default;
        Slice value = default;
        var entry = new ProtoReader(message, range, "InferParameter");
        while (entry.Next())
        {
            switch (entry.Field)
            {
                case 1:
                    key = entry.ReadString();
                    break;
                case 2:
                    value = entry.ReadSlice();
                    break;
                default:
                    entry.Skip();
                    break;
            }
        }

        var parameter = new InferParameterValue(key, InferParameterKind.None, 0, default);
        var reader = new ProtoReader(message, value, "InferParameter");
        while (reader.Next())
        {
            switch ((InferParameterKind)reader.Field)
            {
                case InferParameterKind.Bool:
                    parameter = new(key, InferParameterKind.Bool, reader.ReadVarintField() == 0 ? 0 : 1, default);
                    break;
                case InferParameterKind.Int64:
                    parameter = new(key, InferParameterKind.Int64, (long)reader.ReadVarintField(), default);
                    break;
                case InferParameterKind.UInt64:
                    parameter = new(key, InferParameterKind.UInt64, (long)reader.ReadVarintField(), default);
                    break;
                case InferParameterKind.Text:
                    parameter = new(key, InferParameterKind.Text, 0, reader.ReadString());
                    break;
                case InferParameterKind.Double when reader.WireType == WireType.Fixed64:
                    parameter = new(key, InferParameterKind.Double, (long)reader.ReadFixed64(), default);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return parameter;
    }

    private void Clear()
    {
        ModelName = ModelVersion = Id = default;
        _inputs.Clear();
        _outputs.Clear();
        _rawContents.Clear();
        _parameters.Clear();
        _dimensions.Clear();
    }
}
