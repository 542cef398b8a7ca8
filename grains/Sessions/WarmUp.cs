using Cluster.Contracts.Wire;
using Cluster.Grains.Memory;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions;

/// <summary>Runs a new session once with zeros. So no client's request touches its weights first, and has ONNX Runtime lay out its buffers.</summary>
internal sealed class WarmUp(TimeProvider time)
{
    /// <summary>Longer is ended: a model that takes this long gains nothing from it, and its load must not wait.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <summary>Sizes that requests choose are the least that they may be; more elements than these are no typical request.</summary>
    private const long MaxElements = 1 << 24;

    /// <returns>The most bytes that the run took; 0 where no inputs can be made up.</returns>
    /// <exception cref="OnnxRuntimeException">The graph does not take zeros, or the run was ended.</exception>
    public long Run(InferenceSession session, ModelSignature signature, long maxRunBytes, CancellationToken cancellationToken)
    {
        var inputs = signature.Inputs.Where(static input => !input.Optional).ToList();
        var shapes = inputs.Select(ShapeOf).ToList();
        if (shapes.Contains(null))
        {
            return 0;
        }

        var values = inputs.Zip(shapes, static (input, shape) => Zeros(input, shape!)).ToList();
        try
        {
            return Run(session, [.. inputs.Select(static input => input.Name)], values, signature.OutputNames, maxRunBytes, cancellationToken);
        }
        finally
        {
            values.ForEach(static value => value.Dispose());
        }
    }

    private long Run(
        InferenceSession session, string[] names, List<OrtValue> values, string[] outputs, long maxRunBytes, CancellationToken cancellationToken)
    {
        using var options = new RunOptions();
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);

        // Disposed before the options: that waits for a callback which uses them.
        using var giveUp = either.Token.UnsafeRegister(static options => ((RunOptions)options!).Terminate = true, options);
        var memory = new MemoryUse();
        memory.Begin(maxRunBytes);
        try
        {
            session.Run(options, names, values, outputs).Dispose();
        }
        finally
        {
            MemoryUse.End();
        }

        return memory.Peak;
    }

    /// <summary>Null where the graph says too little of it.</summary>
    private static long[]? ShapeOf(TensorSlot input)
    {
        if (input.Dimensions is not { } dimensions)
        {
            return null;
        }

        var shape = Array.ConvertAll(dimensions, static dimension => Math.Max(dimension.Range.Min, dimension.IsFixed ? 0 : 1));
        return Tensors.Shapes.TryCount(shape, out var count) && count <= MaxElements ? shape : null;
    }

    private static OrtValue Zeros(TensorSlot input, long[] shape)
    {
        if (input.Datatype == Datatype.Bytes)
        {
            return OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
        }

        var value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, input.ElementType, shape);
        value.GetTensorMutableRawData().Clear();
        return value;
    }
}
