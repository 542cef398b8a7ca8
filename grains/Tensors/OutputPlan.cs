using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Cluster.Grains.Sessions;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Tensors;

/// <summary>Which outputs a request gets, and what can be known of their shapes before the run. Reused by one worker thread.</summary>
internal sealed class OutputPlan
{
    private readonly List<PlannedOutput> _outputs = [];
    private readonly List<string> _names = [];

    /// <summary>In the order of the request, or of the graph where the request names none.</summary>
    public List<PlannedOutput> Outputs => _outputs;

    public List<string> Names => _names;

    /// <exception cref="ServingException">INVALID_ARGUMENT: an output that the model does not have, or twice, or no classes to be had.</exception>
    public void Read(ReadOnlySpan<byte> message, InferRequestMessage request, string model, ModelSignature signature)
    {
        _outputs.Clear();
        _names.Clear();
        if (request.Outputs.Count == 0)
        {
            foreach (var slot in signature.Outputs)
            {
                Add(slot, 0);
            }

            return;
        }

        foreach (var requested in request.Outputs)
        {
            var slot = Find(requested.Name.Of(message), model, signature);
            if (requested.Classification > 0 && slot.Datatype == Datatype.Bytes)
            {
                throw ServingException.InvalidArgument(
                    $"classification of output '{slot.Name}' for model '{model}' is not possible: its datatype is BYTES, expected numbers");
            }

            Add(slot, (int)Math.Min(requested.Classification, int.MaxValue));
        }
    }

    /// <summary>
    /// The shape that an output will have as far as the graph's declaration and the bound inputs tell, or null where they do not. A graph
    /// may declare something else than it computes, so the run still checks it.
    /// </summary>
    public static long[]? Predict(TensorSlot output, InputBinder inputs)
    {
        if (output.Dimensions is not { } dimensions || output.Datatype == Datatype.Bytes || !output.Computed)
        {
            return null;
        }

        var shape = new long[dimensions.Length];
        for (var i = 0; i < shape.Length; i++)
        {
            var size = dimensions[i].IsFixed ? dimensions[i].Range.Min : SizeOf(dimensions[i].Symbol, inputs);
            if (size < 0)
            {
                return null;
            }

            shape[i] = size;
        }

        return shape;
    }

    /// <summary>
    /// The size that the inputs give a named dimension. It is -1 where none does, or where they differ. A graph may well broadcast them, and a request
    /// that has it do so says nothing about the truth of the graph's shapes.
    /// </summary>
    private static long SizeOf(string symbol, InputBinder inputs)
    {
        long size = -1;
        for (var i = 0; symbol.Length > 0 && i < inputs.Slots.Count; i++)
        {
            var dimensions = inputs.Slots[i].Dimensions ?? [];
            for (var d = 0; d < dimensions.Length; d++)
            {
                if (dimensions[d].Symbol != symbol)
                {
                    continue;
                }

                if (size >= 0 && size != inputs.Shapes[i][d])
                {
                    return -1;
                }

                size = inputs.Shapes[i][d];
            }
        }

        return size;
    }

    private TensorSlot Find(ReadOnlySpan<byte> name, string model, ModelSignature signature)
    {
        foreach (var slot in signature.Outputs)
        {
            if (name.SequenceEqual(slot.Utf8Name))
            {
                return _names.Contains(slot.Name)
                    ? throw ServingException.InvalidArgument($"output '{slot.Name}' already exists in request for model '{model}'")
                    : slot;
            }
        }

        if (!signature.Unserved.IsEmpty && signature.Unserved.TryGetValue(Utf8Text.Of(name), out var problem))
        {
            throw ServingException.InvalidArgument(
                $"output '{Utf8Text.Of(name)}' of model '{model}' cannot be served: it {problem}; those that can are {string.Join(", ", signature.OutputNames)}");
        }

        throw ServingException.InvalidArgument(
            $"unexpected inference output '{Utf8Text.Of(name)}' for model '{model}'; its outputs are {string.Join(", ", signature.OutputNames)}");
    }

    private void Add(TensorSlot slot, int classes)
    {
        _outputs.Add(new PlannedOutput(slot, classes));
        _names.Add(slot.Name);
    }
}

/// <summary>An output that the answer will hold.</summary>
/// <param name="Slot">The graph's output.</param>
/// <param name="Classes">How many best classes to answer instead of the tensor; 0 for the tensor.</param>
internal readonly record struct PlannedOutput(TensorSlot Slot, int Classes);

/// <summary>Writes outputs that ONNX Runtime allocated into a finished response: one copy each.</summary>
internal static class OutputWriter
{
    /// <summary>The response; the caller owns it.</summary>
    public static PayloadBuffer Write(
        LoadedModel model, OutputPlan plan, IReadOnlyList<OrtValue> values, InferResponseBuilder response, ReadOnlySpan<byte> id)
    {
        response.Begin(model.Utf8Name, model.Utf8Version);
        var classes = new byte[]?[values.Count];
        var counts = new int[values.Count];
        for (var i = 0; i < values.Count; i++)
        {
            var (slot, wanted) = plan.Outputs[i];
            var info = values[i].GetTensorTypeAndShape();
            var shape = info.Shape;
            if (info.ElementCount > int.MaxValue)
            {
                throw TooLarge(model, slot, info.ElementCount);
            }

            counts[i] = (int)info.ElementCount;
            if (wanted > 0)
            {
                // Rows without columns have no classes, however many rows a client claims: they are not walked.
                classes[i] = counts[i] == 0
                    ? []
                    : Classification.Encode(values[i].GetTensorMutableRawData(), slot.Datatype, shape, wanted, model.Labels(slot.Name));
                response.AddOutput(slot.Utf8Name, Datatype.Bytes, Classification.Shape(shape, wanted), classes[i]!.Length);
            }
            else
            {
                var length = slot.Datatype == Datatype.Bytes
                    ? StringTensors.RawLength(values[i], counts[i])
                    : info.ElementCount * slot.Datatype.ElementSize();
                response.AddOutput(slot.Utf8Name, slot.Datatype, shape, length);
            }
        }

        var answer = response.Build(id);
        try
        {
            Fill(answer.Span, plan, values, response, classes, counts);
            return answer;
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    private static void Fill(Span<byte> answer, OutputPlan plan, IReadOnlyList<OrtValue> values, InferResponseBuilder response, byte[]?[] classes, int[] counts)
    {
        for (var i = 0; i < values.Count; i++)
        {
            var target = response.RawContents[i].Of(answer);
            if (classes[i] is { } encoded)
            {
                encoded.CopyTo(target);
            }
            else if (plan.Outputs[i].Slot.Datatype == Datatype.Bytes)
            {
                StringTensors.Write(values[i], counts[i], target);
            }
            else
            {
                values[i].GetTensorMutableRawData().CopyTo(target);
            }
        }
    }

    private static ServingException TooLarge(LoadedModel model, TensorSlot slot, long elements) => new(new Failure(
        StatusCode.ResourceExhausted, $"output '{slot.Name}' of model '{model.Name}' has {elements} elements, more than one message can hold"));
}

/// <summary>Arithmetic on shapes that a client sent.</summary>
internal static class Shapes
{
    /// <summary>The number of elements; 1 for a scalar. False for a negative dimension or more than 2⁶³−1 elements.</summary>
    public static bool TryCount(ReadOnlySpan<long> shape, out long count)
    {
        count = 1;
        var empty = shape.Contains(0);
        foreach (var dimension in shape)
        {
            if (dimension < 0)
            {
                return false;
            }

            if (!empty)
            {
                if (count > long.MaxValue / dimension)
                {
                    return false;
                }

                count *= dimension;
            }
        }

        count = empty ? 0 : count;
        return true;
    }

    /// <summary><c>[1,16]</c>.</summary>
    public static string Describe(ReadOnlySpan<long> shape) => $"[{string.Join(',', shape.ToArray())}]";

    public static ServingException Unexpected(string input, string model, string expected, ReadOnlySpan<long> actual, string why) =>
        ServingException.InvalidArgument($"unexpected shape for input '{input}' for model '{model}'. Expected {expected}, got {Describe(actual)}{why}");
}
