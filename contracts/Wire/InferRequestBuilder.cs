using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Wire;

/// <summary>
/// Writes a <c>ModelInferRequest</c> in one pass into pooled memory that grows: how REST bodies become the binary form. Tensors come in the
/// order of their inputs, each aligned to 8 bytes. The builder owns its memory until <see cref="Build"/> hands it over.
/// </summary>
/// <remarks>
/// A tensor's tag and length are written as longer varints than needed, which protobuf readers accept. So the tensor that follows
/// is aligned, and the length can be filled in after it.
/// </remarks>
public sealed class InferRequestBuilder : IBufferWriter<byte>, IDisposable
{
    private const int MinLengthSize = 5;
    private readonly int _limit;
    private readonly PayloadRoom _room;
    private byte[]? _array;
    private int _position;
    private int _rawLengthAt;
    private int _rawLengthSize;

    /// <summary>Bytes that the message may use of the array, which the pool may have made larger than the limit.</summary>
    private int Capacity => Math.Min(_array!.Length, _limit);

    /// <param name="capacity">Bytes to start with.</param>
    /// <param name="limit">The largest message, bytes; more throws RESOURCE_EXHAUSTED.</param>
    /// <param name="room">Where the message finds its memory, or RESOURCE_EXHAUSTED; null for a message of the server's own.</param>
    /// <exception cref="ServingException">RESOURCE_EXHAUSTED: there is no room for <paramref name="capacity"/> bytes.</exception>
    public InferRequestBuilder(int capacity, int limit, PayloadRoom? room = null)
    {
        _limit = limit;
        _room = room ?? PayloadRoom.Unlimited;
        _array = _room.Rent(Math.Min(capacity, limit));
    }

    public void AddModelName(ReadOnlySpan<byte> utf8) => AddField(InferFields.ModelName, utf8);

    public void AddModelVersion(ReadOnlySpan<byte> utf8) => AddField(InferFields.ModelVersion, utf8);

    public void AddId(ReadOnlySpan<byte> utf8) => AddField(InferFields.Id, utf8);

    /// <summary>A request parameter whose value is text.</summary>
    public void AddParameter(string key, string value) =>
        AddParameterEntry(InferFields.Parameters, key, Encoding.UTF8.GetBytes(value), InferParameterKind.Text, 0);

    /// <summary>A request parameter whose value is a bool, an integer or the bits of a double.</summary>
    public void AddParameter(string key, InferParameterKind kind, long bits) =>
        AddParameterEntry(InferFields.Parameters, key, default, kind, bits);

    /// <summary>Describes the next input; its bytes follow through <see cref="BeginRaw"/>.</summary>
    public void AddInput(ReadOnlySpan<byte> name, Datatype datatype, ReadOnlySpan<long> shape)
    {
        var shapeSize = 0;
        foreach (var dimension in shape)
        {
            shapeSize += ProtoWriter.VarintSize((ulong)dimension);
        }

        var size = ProtoWriter.FieldSize(InferFields.TensorName, name.Length)
            + ProtoWriter.FieldSize(InferFields.TensorDatatype, datatype.Utf8Name().Length)
            + ProtoWriter.OptionalFieldSize(InferFields.TensorShape, shapeSize);
        var writer = new ProtoWriter(GetSpan(ProtoWriter.FieldSize(InferFields.Tensors, size)));
        writer.WriteLength(InferFields.Tensors, size);
        writer.WriteField(InferFields.TensorName, name);
        writer.WriteField(InferFields.TensorDatatype, datatype.Utf8Name());
        if (shapeSize > 0)
        {
            writer.WriteLength(InferFields.TensorShape, shapeSize);
            foreach (var dimension in shape)
            {
                writer.WriteVarint((ulong)dimension);
            }
        }

        Advance(writer.Position);
    }

    /// <summary>Asks for an output; <paramref name="classification"/> 0 for the tensor itself.</summary>
    public void AddRequestedOutput(ReadOnlySpan<byte> name, long classification)
    {
        var parameter = classification == 0 ? [] : ParameterEntry("classification", default, InferParameterKind.Int64, classification);
        var size = ProtoWriter.FieldSize(1, name.Length) + ProtoWriter.OptionalFieldSize(2, parameter.Length);
        var writer = new ProtoWriter(GetSpan(ProtoWriter.FieldSize(InferFields.RequestedOutputs, size)));
        writer.WriteLength(InferFields.RequestedOutputs, size);
        writer.WriteField(1, name);
        writer.WriteOptionalField(2, parameter);
        Advance(writer.Position);
    }

    /// <summary>
    /// Starts the next input's raw bytes: write them through <see cref="GetSpan"/> and <see cref="Advance"/>, then <see cref="EndRaw"/>.
    /// </summary>
    public void BeginRaw()
    {
        var padding = -(_position + 1 + MinLengthSize) & (PayloadBuffer.TensorAlignment - 1);
        _rawLengthSize = Math.Min(MinLengthSize + padding, ProtoWriter.MaxVarintSize);
        var writer = new ProtoWriter(GetSpan(1 + MinLengthSize + padding));
        writer.WriteVarint((InferFields.RawInputContents << 3) | (int)WireType.LengthDelimited, 1 + MinLengthSize + padding - _rawLengthSize);
        _rawLengthAt = _position + writer.Position;
        _position = _rawLengthAt + _rawLengthSize;
    }

    /// <summary>Ends the raw bytes of an input and fills in their length.</summary>
    /// <returns>Bytes written since <see cref="BeginRaw"/>.</returns>
    public int EndRaw()
    {
        var length = _position - _rawLengthAt - _rawLengthSize;
        new ProtoWriter(_array.AsSpan(_rawLengthAt)).WriteVarint((ulong)length, _rawLengthSize);
        return length;
    }

    /// <summary>Hands the message to the caller, who owns it from here on.</summary>
    public PayloadBuffer Build()
    {
        var array = _array ?? throw new ObjectDisposedException(nameof(InferRequestBuilder));
        _array = null;
        return _room.Adopt(array, _position);
    }

    /// <inheritdoc/>
    public void Advance(int count) => _position += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _array.AsMemory(_position, Capacity - _position);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _array.AsSpan(_position, Capacity - _position);
    }

    /// <summary>Gives back the memory of a message that was not built.</summary>
    public void Dispose()
    {
        if (_array is { } array)
        {
            _array = null;
            _room.Return(array);
        }
    }

    private void AddField(int field, ReadOnlySpan<byte> value)
    {
        var writer = new ProtoWriter(GetSpan(ProtoWriter.FieldSize(field, value.Length)));
        writer.WriteOptionalField(field, value);
        Advance(writer.Position);
    }

    private void AddParameterEntry(int field, string key, ReadOnlySpan<byte> text, InferParameterKind kind, long bits) =>
        AddField(field, ParameterEntry(key, text, kind, bits));

    private static byte[] ParameterEntry(string key, ReadOnlySpan<byte> text, InferParameterKind kind, long bits)
    {
        var value = new byte[ProtoWriter.FieldSize((int)kind, Math.Max(text.Length, ProtoWriter.MaxVarintSize))];
        var valueWriter = new ProtoWriter(value);
        switch (kind)
        {
            case InferParameterKind.Text:
                valueWriter.WriteField((int)kind, text);
                break;
            case InferParameterKind.Double:
                valueWriter.WriteTag((int)kind, WireType.Fixed64);
                BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(1), bits);
                valueWriter.Skip(sizeof(long));
                break;
            default:
                valueWriter.WriteTag((int)kind, WireType.Varint);
                valueWriter.WriteVarint((ulong)bits);
                break;
        }

        var encoded = value.AsSpan(0, valueWriter.Position);
        var utf8Key = Encoding.UTF8.GetBytes(key);
        var entry = new byte[ProtoWriter.FieldSize(1, utf8Key.Length) + ProtoWriter.FieldSize(2, encoded.Length)];
        var writer = new ProtoWriter(entry);
        writer.WriteField(1, utf8Key);
        writer.WriteField(2, encoded);
        return entry;
    }

    private void Reserve(int bytes)
    {
        var array = _array ?? throw new ObjectDisposedException(nameof(InferRequestBuilder));
        var needed = (long)_position + bytes;
        if (needed <= Capacity)
        {
            return;
        }

        if (needed > _limit)
        {
            throw new ServingException(new Failure(
                StatusCode.ResourceExhausted, $"the request's tensors need more than {_limit} bytes, the largest message that this server takes"));
        }

        _array = _room.Grow(array, _position, (int)Math.Min(Math.Max(needed, 2L * array.Length), _limit));
    }
}
