using Cluster.Contracts.Wire;
using Cluster.Grains.Tensors;

namespace Cluster.Grains.Sessions.Batching;

/// <summary>How many rows the queue reckons a request with, before a run has checked it.</summary>
internal static class RequestRows
{
    /// <summary>
    /// The first dimension of the first input without a default. 1 for a request that its run will refuse: the expected wait of others follows from it, so a dimension counts only with
    /// the bytes for it.
    /// </summary>
    public static int Of(ReadOnlySpan<byte> message, InferRequestMessage request, ModelSignature signature)
    {
        for (var i = 0; i < request.Inputs.Count; i++)
        {
            if (Find(request.Inputs[i].Name.Of(message), signature) is not { Optional: false } slot)
            {
                continue;
            }

            var shape = request.Shape(request.Inputs[i]);
            return slot.HasRows && Takes(slot, shape) && HasBytes(request, i, slot.Datatype, shape) ? (int)shape[0] : 1;
        }

        return 1;
    }

    private static TensorSlot? Find(ReadOnlySpan<byte> name, ModelSignature signature)
    {
        foreach (var slot in signature.Inputs)
        {
            if (name.SequenceEqual(slot.Utf8Name))
            {
                return slot;
            }
        }

        return null;
    }

    private static bool Takes(TensorSlot slot, ReadOnlySpan<long> shape)
    {
        if (slot.Dimensions!.Length != shape.Length)
        {
            return false;
        }

        for (var i = 0; i < shape.Length; i++)
        {
            if (!slot.Dimensions[i].Range.Contains(shape[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Typed contents have a byte an element or more.</summary>
    private static bool HasBytes(InferRequestMessage request, int input, Datatype datatype, ReadOnlySpan<long> shape)
    {
        if (!Shapes.TryCount(shape, out var count) || count == 0)
        {
            return false;
        }

        return request.RawContents.Count == 0
            ? count <= request.Inputs[input].Contents.Length
            : input < request.RawContents.Count && count <= request.RawContents[input].Length / datatype.ElementSize();
    }
}
