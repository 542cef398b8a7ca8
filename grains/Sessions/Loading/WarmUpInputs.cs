using System.Buffers;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Cluster.Grains.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions.Loading;

/// <summary>What a session is warmed up with: a sample, or zeros as the signature has it.</summary>
internal sealed class WarmUpInputs : IDisposable
{
    /// <summary>Sizes that requests choose are the least that they may be; more elements than these are no typical request.</summary>
    private const long MaxElements = 1 << 24;

    private readonly InputBinder? _binder;
    private readonly PayloadBuffer? _sample;
    private MemoryHandle _pinned;

    private WarmUpInputs(List<string> names, List<OrtValue> values)
    {
        Names = names;
        Values = values;
    }

    private WarmUpInputs(InputBinder binder, PayloadBuffer sample, MemoryHandle pinned)
        : this(binder.Names, binder.Values)
    {
        (_binder, _sample, _pinned) = (binder, sample, pinned);
    }

    public List<string> Names { get; }

    public List<OrtValue> Values { get; }

    /// <summary>Null where the graph says too little of an input.</summary>
    public static WarmUpInputs? Zeros(ModelSignature signature)
    {
        var inputs = signature.Inputs.Where(static input => !input.Optional).ToList();
        var shapes = inputs.ConvertAll(ShapeOf);
        return shapes.Contains(null)
            ? null
            : new WarmUpInputs(inputs.ConvertAll(static input => input.Name), [.. inputs.Zip(shapes, static (input, shape) => Zeros(input, shape!))]);
    }

    /// <summary>Takes over <paramref name="sample"/>, a request.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: it does not fit the model.</exception>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime does not take an input.</exception>
    public static WarmUpInputs Of(PayloadBuffer sample, string model, ModelSignature signature)
    {
        var pinned = sample.Memory.Pin();
        var binder = new InputBinder();
        try
        {
            var request = new InferRequestMessage();
            request.Parse(sample.Span);
            binder.Bind(sample.Span, request, model, signature);
            return new WarmUpInputs(binder, sample, pinned);
        }
        catch
        {
            binder.Clear();
            pinned.Dispose();
            sample.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_binder is not null)
        {
            _binder.Clear();
        }
        else
        {
            Values.ForEach(static value => value.Dispose());
        }

        _pinned.Dispose();
        _sample?.Dispose();
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
