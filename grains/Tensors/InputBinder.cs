using System.Runtime.InteropServices;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Cluster.Grains.Sessions;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Tensors;

/// <summary>
/// Checks a request's inputs against a model and wraps them for ONNX Runtime. In place where their bytes are aligned, otherwise copied once
/// into scratch memory. Reused by one worker thread; what it made lives until <see cref="Clear"/>.
/// </summary>
/// <remarks>Order of checks: the set of names, then for each input its datatype, shape, and content.</remarks>
internal sealed class InputBinder
{
    private readonly NativeScratch _scratch = new();
    private readonly List<string> _names = [];
    private readonly List<OrtValue> _values = [];
    private readonly List<TensorSlot> _slots = [];
    private readonly List<long[]> _shapes = [];

    /// <summary>Names of the bound inputs.</summary>
    public List<string> Names => _names;

    /// <summary>The bound inputs, in the order of <see cref="Names"/>.</summary>
    public List<OrtValue> Values => _values;

    /// <summary>The graph's slot of each bound input.</summary>
    public List<TensorSlot> Slots => _slots;

    /// <summary>The shape of each bound input.</summary>
    public List<long[]> Shapes => _shapes;

    /// <summary>
    /// Rows in this request: the first dimension where the graph leaves its size open, else 1. A tensor without elements has none: its first
    /// dimension costs a client nothing to claim and would drown the statistics.
    /// </summary>
    public long Rows => _slots is not [{ HasRows: true }, ..] ? 1 : _shapes[0].Contains(0) ? 0 : _shapes[0][0];

    /// <summary>Binds every input of <paramref name="request"/>.</summary>
    /// <param name="message">The request's bytes; they must stay where they are until <see cref="Clear"/>.</param>
    /// <exception cref="ServingException">INVALID_ARGUMENT, naming the input, what was found and what would be right.</exception>
    public void Bind(ReadOnlySpan<byte> message, InferRequestMessage request, string model, ModelSignature signature)
    {
        CheckContentsForm(message, request, model);
        for (var i = 0; i < request.Inputs.Count; i++)
        {
            BindInput(message, request, i, model, signature);
        }

        foreach (var slot in signature.Inputs)
        {
            if (!slot.Optional && !_slots.Contains(slot))
            {
                throw ServingException.InvalidArgument(
                    $"missing input '{slot.Name}' for model '{model}'; expected inputs: {signature.InputNames}");
            }
        }

        if (signature.HasBatch)
        {
            CheckBatch(model);
        }
    }

    /// <summary>
    /// Two inputs that give one of the graph's named dimensions different sizes, or one that gives a dimension no size at all. Null if there
    /// are none. Graphs are not always truthful about names, so this only explains a run that failed.
    /// </summary>
    public string? ExplainByShape()
    {
        var sizes = new Dictionary<string, (string Input, long Size)>(StringComparer.Ordinal);
        for (var i = 0; i < _slots.Count; i++)
        {
            for (var d = 0; d < (_slots[i].Dimensions?.Length ?? 0); d++)
            {
                var (symbol, size) = (_slots[i].Dimensions![d].Symbol, _shapes[i][d]);
                if (size == 0)
                {
                    return $"dimension {d} of input '{_slots[i].Name}' is 0";
                }

                if (symbol.Length > 0 && !sizes.TryAdd(symbol, (_slots[i].Name, size)) && sizes[symbol].Size != size)
                {
                    return $"dimension '{symbol}' is {sizes[symbol].Size} in input '{sizes[symbol].Input}' but {size} in input '{_slots[i].Name}'";
                }
            }
        }

        return null;
    }

    /// <summary>Ends the use of the request's memory.</summary>
    public void Clear()
    {
        foreach (var value in _values)
        {
            value.Dispose();
        }

        _values.Clear();
        _names.Clear();
        _slots.Clear();
        _shapes.Clear();
        _scratch.Clear();
    }

    private void CheckBatch(string model)
    {
        var first = _slots.FindIndex(static slot => !slot.Optional);
        for (var i = first + 1; i < _slots.Count; i++)
        {
            if (!_slots[i].Optional && _shapes[i][0] != _shapes[first][0])
            {
                throw ServingException.InvalidArgument(
                    $"input '{_slots[i].Name}' batch size does not match other inputs for model '{model}': it is {_shapes[i][0]}, that of '{_slots[first].Name}' is {_shapes[first][0]}");
            }
        }
    }

    private static void CheckContentsForm(ReadOnlySpan<byte> message, InferRequestMessage request, string model)
    {
        if (request.RawContents.Count == 0)
        {
            return;
        }

        for (var i = 0; i < request.Inputs.Count; i++)
        {
            var input = request.Inputs[i];
            if (input.HasContents)
            {
                throw ServingException.InvalidArgument(
                    $"contents field must not be specified when using raw_input_contents for '{Utf8Text.Of(message, input.Name)}' for model '{model}'");
            }

            if (i >= request.RawContents.Count)
            {
                throw ServingException.InvalidArgument(
                    $"unable to find data for input tensor '{Utf8Text.Of(message, input.Name)}' for model '{model}' in request.");
            }
        }

        if (request.RawContents.Count > request.Inputs.Count)
        {
            throw ServingException.InvalidArgument(
                $"raw_input_contents has {request.RawContents.Count} entries for {request.Inputs.Count} inputs for model '{model}'; expected one an input");
        }
    }

    private void BindInput(ReadOnlySpan<byte> message, InferRequestMessage request, int index, string model, ModelSignature signature)
    {
        var input = request.Inputs[index];
        var slot = FindSlot(message, input.Name, model, signature);
        var datatype = Datatypes.Parse(input.Datatype.Of(message));
        if (datatype != slot.Datatype)
        {
            var known = datatype == Datatype.Unknown ? $"; the datatypes are {Datatypes.AllNames}" : "";
            throw ServingException.InvalidArgument(
                $"inference input '{slot.Name}' data-type is '{Utf8Text.Of(message, input.Datatype)}', but model '{model}' expects '{slot.Datatype.Name()}'{known}");
        }

        var shape = request.Shape(input);
        var count = CheckShape(shape, slot, model);
        var dimensions = shape.ToArray();
        var tensor = new TensorContext(slot.Name, model, datatype);
        OrtValue value;
        if (request.RawContents.Count > 0)
        {
            value = FromRaw(message, request.RawContents[index], slot, dimensions, count, model);
        }
        else if (datatype == Datatype.Bytes)
        {
            value = FromBytesContents(message, input.Contents, dimensions, count, tensor);
        }
        else
        {
            var copy = AllocateFor(count, datatype, tensor, input.Contents.Length);
            TypedContents.Read(message, input.Contents, tensor, count, copy);
            value = Wrap(copy, slot, dimensions);
        }

        _names.Add(slot.Name);
        _values.Add(value);
        _slots.Add(slot);
        _shapes.Add(dimensions);
    }

    private TensorSlot FindSlot(ReadOnlySpan<byte> message, Slice name, string model, ModelSignature signature)
    {
        var utf8 = name.Of(message);
        foreach (var slot in signature.Inputs)
        {
            if (utf8.SequenceEqual(slot.Utf8Name))
            {
                return _slots.Contains(slot)
                    ? throw ServingException.InvalidArgument($"input '{slot.Name}' is given twice for model '{model}'")
                    : slot;
            }
        }

        throw ServingException.InvalidArgument(
            $"unexpected inference input '{Utf8Text.Of(utf8)}' for model '{model}'; expected inputs: {signature.InputNames}");
    }

    private static long CheckShape(ReadOnlySpan<long> shape, TensorSlot slot, string model)
    {
        if (!Tensors.Shapes.TryCount(shape, out var count))
        {
            var why = shape.IndexOfAnyInRange(long.MinValue, -1) >= 0 ? ": a dimension is negative" : ": more elements than can be counted";
            throw Tensors.Shapes.Unexpected(slot.Name, model, slot.DescribeShape(), shape, why);
        }

        if (slot.Dimensions is not { } dimensions)
        {
            return count;
        }

        if (dimensions.Length != shape.Length)
        {
            throw Tensors.Shapes.Unexpected(slot.Name, model, slot.DescribeShape(), shape, $": expected {dimensions.Length} dimensions");
        }

        for (var i = 0; i < dimensions.Length; i++)
        {
            if (!dimensions[i].Range.Contains(shape[i]))
            {
                throw Tensors.Shapes.Unexpected(slot.Name, model, slot.DescribeShape(), shape, $": dimension {i} does not fit");
            }
        }

        return count;
    }

    private unsafe OrtValue FromRaw(ReadOnlySpan<byte> message, Slice raw, TensorSlot slot, long[] shape, long count, string model)
    {
        var bytes = raw.Of(message);
        if (slot.Datatype == Datatype.Bytes)
        {
            return StringTensors.FromRaw(bytes, shape, count, slot.Name, model);
        }

        var size = slot.Datatype.ElementSize();
        if (count > long.MaxValue / size || count * size != bytes.Length)
        {
            throw ServingException.InvalidArgument(
                $"input byte size mismatch for input '{slot.Name}' for model '{model}'. Expected {(UInt128)(ulong)count * (ulong)size}, got {bytes.Length}");
        }

        if (slot.Datatype == Datatype.Bool && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
        {
            throw new TensorContext(slot.Name, model, slot.Datatype).Invalid("a BOOL element is a byte 0 or 1");
        }

        fixed (byte* start = bytes)
        {
            if ((nuint)start % (nuint)size == 0 && bytes.Length > 0)
            {
                return Wrap(bytes, slot, shape);
            }
        }

        var copy = _scratch.Allocate(bytes.Length);
        bytes.CopyTo(copy);
        return Wrap(copy, slot, shape);
    }

    /// <summary>Elements cannot outnumber what the contents' bytes could hold, so that a shape alone never takes memory.</summary>
    private Span<byte> AllocateFor(long count, Datatype datatype, in TensorContext tensor, int contentsLength)
    {
        if (count > contentsLength)
        {
            throw tensor.Invalid($"its shape has {count} elements, but contents has fewer: it is {contentsLength} bytes");
        }

        return (long)count * datatype.ElementSize() <= Array.MaxLength
            ? _scratch.Allocate((int)count * datatype.ElementSize())
            : throw tensor.Invalid($"{count} elements are more than one tensor can hold");
    }

    private static OrtValue FromBytesContents(ReadOnlySpan<byte> message, Slice contents, long[] shape, long count, in TensorContext tensor)
    {
        var elements = TypedContents.ReadBytes(message, contents, tensor, count);
        var value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
        for (var i = 0; i < elements.Count; i++)
        {
            value.StringTensorSetElementAt(elements[i].Of(message), i);
        }

        return value;
    }

    /// <summary>The bytes are pinned by the run (request memory) or native (scratch), so their address holds.</summary>
    private static unsafe OrtValue Wrap(ReadOnlySpan<byte> bytes, TensorSlot slot, long[] shape)
    {
        fixed (byte* start = bytes)
        {
            return OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, slot.ElementType, shape, (nint)start, bytes.Length);
        }
    }
}

/// <summary>Which tensor of which model is being read, for errors.</summary>
internal readonly record struct TensorContext(string Input, string Model, Datatype Datatype)
{
    public ServingException Invalid(string what) =>
        ServingException.InvalidArgument($"invalid data of input '{Input}' for model '{Model}': {what}");
}

/// <summary>
/// Aligned native memory for tensors that cannot be used where they lie in a request: typed contents and misaligned bytes. Owned by one
/// worker thread and emptied after each request.
/// </summary>
internal sealed unsafe class NativeScratch
{
    /// <summary>A cache line, which vector instructions like best.</summary>
    private const int Alignment = 64;

    private readonly List<nint> _blocks = [];

    /// <summary>Memory that lives until <see cref="Clear"/>; its content is undefined.</summary>
    public Span<byte> Allocate(int length)
    {
        var block = NativeMemory.AlignedAlloc((nuint)Math.Max(length, 1), Alignment);
        _blocks.Add((nint)block);
        return new Span<byte>(block, length);
    }

    public void Clear()
    {
        foreach (var block in _blocks)
        {
            NativeMemory.AlignedFree((void*)block);
        }

        _blocks.Clear();
    }
}
