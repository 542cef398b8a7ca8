using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Cluster.Grains.Sessions;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Tensors;

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
