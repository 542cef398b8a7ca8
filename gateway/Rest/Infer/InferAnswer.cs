using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Rest.Json;

namespace Cluster.Gateway.Rest.Infer;

/// <summary>A response that has been checked: nothing in it can fail once its first byte is on the wire.</summary>
internal sealed class InferAnswer
{
    private readonly bool[] _binary;
    private readonly bool _bareFloats;

    private InferAnswer(ReadOnlyMemory<byte> message, InferResponseMessage parsed, bool[] binary, bool bareFloats)
    {
        _bareFloats = bareFloats;
        Message = message;
        Parsed = parsed;
        _binary = binary;
    }

    public ReadOnlyMemory<byte> Message { get; }

    public InferResponseMessage Parsed { get; }

    public bool HasBinary => Array.IndexOf(_binary, true) >= 0;

    /// <exception cref="ServingException">
    /// INTERNAL: the response does not fit itself. INVALID_ARGUMENT: an output of bytes that are no text, or too long a one, was asked for as JSON; or the request's id is too long.
    /// </exception>
    public static InferAnswer Check(ReadOnlyMemory<byte> message, JsonInferRequest request)
    {
        var parsed = new InferResponseMessage();
        var bytes = message.Span;
        try
        {
            parsed.Parse(bytes);
        }
        catch (ServingException e)
        {
            throw new ServingException(Failure.Internal("the model's answer cannot be read"), e);
        }

        if (parsed.RawContents.Count != parsed.Outputs.Count)
        {
            throw new ServingException(Failure.Internal(
                $"the model's answer has {parsed.Outputs.Count} outputs and {parsed.RawContents.Count} tensors"));
        }

        if (parsed.Id.Length > JsonAnswer.MaxString)
        {
            throw ServingException.InvalidArgument($"the request's id has {parsed.Id.Length} bytes, of which JSON carries up to {JsonAnswer.MaxString} here");
        }

        var binary = new bool[parsed.Outputs.Count];
        for (var i = 0; i < binary.Length; i++)
        {
            var output = parsed.Outputs[i];
            binary[i] = request.IsBinary(output.Name.Of(bytes));
            if (!binary[i])
            {
                CheckForJson(bytes, parsed, i);
            }
        }

        return new InferAnswer(message, parsed, binary, request.BareFloats);
    }

    public bool IsBinary(int output) => _binary[output];

    /// <summary>Writes the output's elements as JSON.</summary>
    public TensorJsonWriter Elements(int output) =>
        new(Datatypes.Parse(Parsed.Outputs[output].Datatype.Of(Message.Span)), Tensor(output), _bareFloats);

    /// <summary>The output's bytes.</summary>
    public ReadOnlyMemory<byte> Tensor(int output) => Message.Slice(Parsed.RawContents[output].Offset, Parsed.RawContents[output].Length);

    private static void CheckForJson(ReadOnlySpan<byte> bytes, InferResponseMessage parsed, int index)
    {
        var output = parsed.Outputs[index];
        var datatype = Datatypes.Parse(output.Datatype.Of(bytes));
        var tensor = parsed.RawContents[index].Of(bytes);
        var elements = JsonShape.Product(parsed.Shape(output));
        if (datatype == Datatype.Bytes)
        {
            Require(BytesTensor.Count(tensor) == elements, bytes, output);
            if (BytesTensor.Longest(tensor) is > JsonAnswer.MaxString and var longest)
            {
                throw ServingException.InvalidArgument(
                    $"output '{Utf8Text.Of(bytes, output.Name)}' has an element of {longest} bytes, of which JSON carries up to {JsonAnswer.MaxString} here; ask for it with binary_data");
            }

            if (!BytesTensor.IsText(tensor))
            {
                throw ServingException.InvalidArgument(
                    $"output '{Utf8Text.Of(bytes, output.Name)}' has elements that are not UTF-8, which JSON cannot carry; ask for it with binary_data");
            }
        }
        else
        {
            Require(datatype != Datatype.Unknown && tensor.Length % datatype.ElementSize() == 0 && elements == tensor.Length / datatype.ElementSize(), bytes, output);
        }
    }

    private static void Require(bool fits, ReadOnlySpan<byte> bytes, in TensorSlice output)
    {
        if (!fits)
        {
            throw new ServingException(Failure.Internal($"output '{Utf8Text.Of(bytes, output.Name)}' of the model's answer does not fit its shape"));
        }
    }
}
