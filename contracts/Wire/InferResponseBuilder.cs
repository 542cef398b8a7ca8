using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Wire;

/// <summary>
/// Lays out a finished <c>ModelInferResponse</c> once its outputs' sizes are known, leaving the tensors' bytes to be written in place. In this order:
/// <see cref="Begin"/>, <see cref="AddOutput"/> for each, <see cref="Build"/>, then fill <see cref="RawContents"/>. Reusable.
/// </summary>
public sealed class InferResponseBuilder
{
    private readonly List<Output> _outputs = [];
    private readonly List<long> _dimensions = [];
    private readonly List<Slice> _rawContents = [];
    private byte[] _modelName = [];
    private byte[] _modelVersion = [];

    /// <summary>After <see cref="Build"/>: where each output's bytes belong, in the order they were added.</summary>
    public IReadOnlyList<Slice> RawContents => _rawContents;

    /// <summary>Starts a response; the names are UTF-8.</summary>
    public void Begin(byte[] modelName, byte[] modelVersion)
    {
        _modelName = modelName;
        _modelVersion = modelVersion;
        _outputs.Clear();
        _dimensions.Clear();
        _rawContents.Clear();
    }

    /// <summary>Adds an output of <paramref name="byteLength"/> raw bytes.</summary>
    public void AddOutput(byte[] name, Datatype datatype, ReadOnlySpan<long> shape, long byteLength)
    {
        var shapeSize = 0;
        foreach (var dimension in shape)
        {
            _dimensions.Add(dimension);
            shapeSize += ProtoWriter.VarintSize((ulong)dimension);
        }

        var size = ProtoWriter.FieldSize(InferFields.TensorName, name.Length)
            + ProtoWriter.FieldSize(InferFields.TensorDatatype, datatype.Utf8Name().Length)
            + ProtoWriter.OptionalFieldSize(InferFields.TensorShape, shapeSize);
        _outputs.Add(new Output(name, datatype, shape.Length, shapeSize, size, byteLength));
    }

    /// <summary>
    /// Takes memory for the whole message and writes everything but the tensors' bytes. The first output starts at a multiple of 8.
    /// The caller owns the buffer.
    /// </summary>
    /// <param name="id">The request's id, UTF-8; empty for none.</param>
    /// <exception cref="ServingException">RESOURCE_EXHAUSTED: the message would be larger than an array can be.</exception>
    public PayloadBuffer Build(ReadOnlySpan<byte> id)
    {
        long headerSize = ProtoWriter.OptionalFieldSize(InferFields.ModelName, _modelName.Length)
            + ProtoWriter.OptionalFieldSize(InferFields.ModelVersion, _modelVersion.Length)
            + ProtoWriter.OptionalFieldSize(InferFields.Id, id.Length);
        var size = headerSize;
        foreach (var output in _outputs)
        {
            headerSize += ProtoWriter.FieldSize(InferFields.Tensors, output.Size);
            size += ProtoWriter.FieldSize(InferFields.Tensors, output.Size) + ProtoWriter.MaxVarintSize + output.ByteLength;

            // Checked at each output: two sizes near the end of a long would add up to a negative one.
            if (size > Array.MaxLength - PayloadBuffer.TensorAlignment)
            {
                throw new ServingException(new Failure(
                    StatusCode.ResourceExhausted, $"the outputs need at least {size} bytes, more than one message can hold ({Array.MaxLength})"));
            }
        }

        var firstRaw = _outputs.Count == 0 ? 0 : headerSize + 1 + ProtoWriter.VarintSize((ulong)_outputs[0].ByteLength);
        var buffer = PayloadBuffer.Rent((int)size, (int)(-firstRaw & (PayloadBuffer.TensorAlignment - 1)));
        buffer.Truncate(Write(buffer.Span, id));
        return buffer;
    }

    private int Write(Span<byte> target, ReadOnlySpan<byte> id)
    {
        var writer = new ProtoWriter(target);
        writer.WriteOptionalField(InferFields.ModelName, _modelName);
        writer.WriteOptionalField(InferFields.ModelVersion, _modelVersion);
        writer.WriteOptionalField(InferFields.Id, id);
        var dimension = 0;
        foreach (var output in _outputs)
        {
            writer.WriteLength(InferFields.Tensors, output.Size);
            writer.WriteField(InferFields.TensorName, output.Name);
            writer.WriteField(InferFields.TensorDatatype, output.Datatype.Utf8Name());
            if (output.Rank > 0)
            {
                writer.WriteLength(InferFields.TensorShape, output.ShapeSize);
                for (var i = 0; i < output.Rank; i++)
                {
                    writer.WriteVarint((ulong)_dimensions[dimension++]);
                }
            }
        }

        foreach (var output in _outputs)
        {
            writer.WriteLength(InferFields.RawOutputContents, (int)output.ByteLength);
            _rawContents.Add(new Slice(writer.Position, (int)output.ByteLength));
            writer.Skip((int)output.ByteLength);
        }

        return writer.Position;
    }

    private readonly record struct Output(byte[] Name, Datatype Datatype, int Rank, int ShapeSize, int Size, long ByteLength);
}
