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
    /// <exception cref="ServingException">INVALID_ARGUMENT: the bytes are not a <c>ModelInferRequest</c>; or what <see cref="ParameterRules"/> refuse.</exception>
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
                    _parameters.Add(ParameterParser.Parse(message, reader.ReadSlice()));
                    break;
                case InferFields.Tensors:
                    Limit(_inputs.Count, "inputs");
                    _inputs.Add(TensorParser.ParseInput(message, reader.ReadSlice(), _dimensions, MaxDimensions));
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
        InferParameterValue classification = default;
        var isInSharedMemory = false;
        var reader = new ProtoReader(message, range, "InferRequestedOutputTensor");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    name = reader.ReadString();
                    break;
                case 2:
                    var parameter = ParameterParser.Parse(message, reader.ReadSlice());
                    var key = parameter.Key.Of(message);
                    isInSharedMemory |= ParameterRules.IsSharedMemory(key);
                    classification = key.SequenceEqual(ParameterRules.Classification) ? parameter : classification;
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return isInSharedMemory
            ? throw ParameterRules.SharedMemory("output", name.Of(message))
            : new RequestedOutput(name, ParameterRules.ReadClassification(classification.Kind, classification.Bits, name.Of(message)));
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

/// <summary>One entry of a request's <c>outputs</c>.</summary>
/// <param name="Name">UTF-8.</param>
/// <param name="Classification">How many classes to answer instead of the tensor; 0 for the tensor itself.</param>
public readonly record struct RequestedOutput(Slice Name, long Classification);

/// <summary>One tensor of a parsed message.</summary>
/// <param name="Name">UTF-8.</param>
/// <param name="Datatype">The datatype's name as sent, UTF-8.</param>
/// <param name="FirstDimension">Index of the first dimension in the message's list of dimensions.</param>
/// <param name="Rank">Dimensions, 0 for a scalar.</param>
/// <param name="Contents">The first <c>InferTensorContents</c>; empty if there is none.</param>
/// <param name="HasContents">Whether the field was there at all, empty or not.</param>
public readonly record struct TensorSlice(Slice Name, Slice Datatype, int FirstDimension, int Rank, Slice Contents, bool HasContents);

/// <summary>Field numbers of <c>ModelInferRequest</c> and <c>ModelInferResponse</c> (inference.proto).</summary>
public static class InferFields
{
    public const int ModelName = 1;
    public const int ModelVersion = 2;
    public const int Id = 3;
    public const int Parameters = 4;

    /// <summary><c>inputs</c> of a request, <c>outputs</c> of a response.</summary>
    public const int Tensors = 5;

    public const int RequestedOutputs = 6;
    public const int RawInputContents = 7;
    public const int RawOutputContents = 6;

    public const int TensorName = 1;
    public const int TensorDatatype = 2;
    public const int TensorShape = 3;
    public const int TensorParameters = 4;
    public const int TensorContents = 5;
}

/// <summary>Reads <c>InferInputTensor</c> and <c>InferOutputTensor</c>, which share their field numbers.</summary>
internal static class TensorParser
{
    /// <summary>Reads a request's tensor, as <see cref="ParseOutput"/>.</summary>
    /// <exception cref="ServingException">In addition, UNIMPLEMENTED: its data is in shared memory.</exception>
    public static TensorSlice ParseInput(ReadOnlySpan<byte> message, Slice range, List<long> dimensions, int maxDimensions)
    {
        var tensor = Parse(message, range, dimensions, maxDimensions, "InferInputTensor", out var isInSharedMemory);
        return isInSharedMemory ? throw ParameterRules.SharedMemory("input", tensor.Name.Of(message)) : tensor;
    }

    /// <summary>Reads an answer's tensor; its dimensions are appended to <paramref name="dimensions"/>.</summary>
    public static TensorSlice ParseOutput(ReadOnlySpan<byte> message, Slice range, List<long> dimensions, int maxDimensions) =>
        Parse(message, range, dimensions, maxDimensions, "InferOutputTensor", out _);

    private static TensorSlice Parse(
        ReadOnlySpan<byte> message, Slice range, List<long> dimensions, int maxDimensions, string messageName, out bool isInSharedMemory)
    {
        isInSharedMemory = false;
        Slice name = default, datatype = default, contents = default;
        var hasContents = false;
        var first = dimensions.Count;
        var reader = new ProtoReader(message, range, messageName);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case InferFields.TensorName:
                    name = reader.ReadString();
                    break;
                case InferFields.TensorDatatype:
                    datatype = reader.ReadString();
                    break;
                case InferFields.TensorShape when reader.WireType == WireType.Varint:
                    Add(dimensions, reader.ReadVarint(), maxDimensions);
                    break;
                case InferFields.TensorShape:
                    ParsePacked(message, reader.ReadSlice(), dimensions, maxDimensions, messageName);
                    break;
                case InferFields.TensorParameters:
                    isInSharedMemory |= ParameterRules.IsSharedMemory(ParameterParser.ParseKey(message, reader.ReadSlice(), out _).Of(message));
                    break;
                case InferFields.TensorContents when hasContents:
                    throw reader.Malformed("has contents twice");
                case InferFields.TensorContents:
                    contents = reader.ReadSlice();
                    hasContents = true;
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new TensorSlice(name, datatype, first, dimensions.Count - first, contents, hasContents);
    }

    private static void ParsePacked(ReadOnlySpan<byte> message, Slice packed, List<long> dimensions, int maxDimensions, string messageName)
    {
        var reader = new ProtoReader(message, packed, messageName);
        while (reader.Position < packed.Offset + packed.Length)
        {
            Add(dimensions, reader.ReadVarint(), maxDimensions);
        }
    }

    private static void Add(List<long> dimensions, ulong dimension, int maxDimensions)
    {
        if (dimensions.Count >= maxDimensions)
        {
            throw ServingException.InvalidArgument($"the message has more than {maxDimensions} dimensions in all");
        }

        dimensions.Add((long)dimension);
    }
}

/// <summary>The top-level fields of a <c>ModelInferRequest</c> that routing needs; tensors are passed over unread.</summary>
/// <param name="Timeout">How long its client gives the request by the parameter <c>timeout</c>; null for no limit.</param>
/// <param name="Refusal">What <see cref="ParameterRules"/> have against its parameters, or null.</param>
public readonly record struct InferRequestHeader(Slice ModelName, Slice ModelVersion, Slice Id, TimeSpan? Timeout, Failure? Refusal)
{
    /// <summary>Reads the header fields wherever they stand in <paramref name="message"/>.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: the bytes are not a protobuf message.</exception>
    public static InferRequestHeader Scan(ReadOnlySpan<byte> message)
    {
        Slice name = default, version = default, id = default;
        TimeSpan? timeout = null;
        Failure? refusal = null;
        var reader = new ProtoReader(message, "ModelInferRequest");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case InferFields.ModelName:
                    name = reader.ReadString();
                    break;
                case InferFields.ModelVersion:
                    version = reader.ReadString();
                    break;
                case InferFields.Id:
                    id = reader.ReadString();
                    break;
                case InferFields.Parameters:
                    var parameter = ParameterParser.Parse(message, reader.ReadSlice());
                    refusal ??= ParameterRules.Read(parameter.Key.Of(message), parameter.Kind, parameter.Bits, ref timeout);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new InferRequestHeader(name, version, id, timeout, refusal);
    }

    /// <summary>
    /// Bytes to leave free in front of a message, 0 to 7, so that its first raw tensor starts at a multiple of 8. <paramref name="beginning"/> may be cut off anywhere; 0 where it shows no raw tensor.
    /// </summary>
    public static int PaddingFor(ReadOnlySpan<byte> beginning)
    {
        var position = 0;
        while (TryReadVarint(beginning, ref position, out var tag))
        {
            var wireType = (WireType)(tag & 7);
            if (wireType == WireType.Varint)
            {
                if (!TryReadVarint(beginning, ref position, out _))
                {
                    break;
                }

                continue;
            }

            if (wireType != WireType.LengthDelimited || !TryReadVarint(beginning, ref position, out var length))
            {
                break;
            }

            if (tag >> 3 == InferFields.RawInputContents)
            {
                return -position & (Buffers.PayloadBuffer.TensorAlignment - 1);
            }

            if (length > (ulong)(beginning.Length - position))
            {
                break;
            }

            position += (int)length;
        }

        return 0;
    }

    private static bool TryReadVarint(ReadOnlySpan<byte> bytes, ref int position, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 70 && position < bytes.Length; shift += 7)
        {
            var next = bytes[position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }

        return false;
    }
}
