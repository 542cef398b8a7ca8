using System.Runtime.InteropServices;
using Cluster.Contracts.Errors;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace Cluster.Contracts.Buffers;

/// <summary>
/// Message bytes in an Orleans message: a form byte, then the content of that form. Within a process the buffer itself is passed on. A buffer from another process
/// carries its count to its first taker.
/// </summary>
/// <remarks>
/// Form 0 to 7: the bytes themselves, which lie that far behind a multiple of 8. <see cref="Beside"/>: the flush (4 bytes), the place in it (2) and the
/// length (4) of a payload that travels beside the message. <see cref="Gone"/>: the caller gave up before the message was sent.
/// </remarks>
[RegisterSerializer, RegisterCopier]
internal sealed class PayloadBufferCodec : IFieldCodec<PayloadBuffer>, IDeepCopier<PayloadBuffer>
{
    private const byte Beside = 8;
    private const byte Gone = 9;
    private const uint BesideLength = 1 + 4 + 2 + 4;

    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, PayloadBuffer? value)
        where TBufferWriter : System.Buffers.IBufferWriter<byte>
    {
        if (ReferenceCodec.TryWriteReferenceField(ref writer, fieldIdDelta, expectedType, value))
        {
            return;
        }

        // A null value has been written as a reference.
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(PayloadBuffer), WireType.LengthPrefixed);
        var payloads = OutgoingPayloads.Current;

        // What is stored rather than sent leaves the message its count.
        if (!(payloads is null ? value!.TryRetain() : value!.TryTake()))
        {
            writer.WriteVarUInt32(1);
            writer.WriteByte(Gone);
            return;
        }

        var place = -1;
        try
        {
            place = payloads?.Add(value) ?? -1;
            if (place < 0)
            {
                WriteBytes(ref writer, value);
            }
            else
            {
                writer.WriteVarUInt32(BesideLength);
                writer.WriteByte(Beside);
                writer.WriteUInt32(payloads!.Flush);
                writer.WriteByte((byte)place);
                writer.WriteByte((byte)(place >> 8));
                writer.WriteUInt32((uint)value.Length);
            }
        }
        finally
        {
            if (place < 0)
            {
                value.Dispose();
            }
        }
    }

    public PayloadBuffer? ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference)
        {
            return ReferenceCodec.ReadReference<PayloadBuffer, TInput>(ref reader, field);
        }

        field.EnsureWireType(WireType.LengthPrefixed);
        var length = reader.ReadVarUInt32();
        if (length == 0 || length > reader.Length - reader.Position)
        {
            throw new InvalidDataException($"a payload of {length} bytes does not fit the message that it came in");
        }

        var value = Read(ref reader, reader.ReadByte(), length);
        ReferenceCodec.RecordObject(reader.Session, value);
        return value;
    }

    public PayloadBuffer? DeepCopy(PayloadBuffer? input, CopyContext context) => input;

    private static void WriteBytes<TBufferWriter>(ref Writer<TBufferWriter> writer, PayloadBuffer value)
        where TBufferWriter : System.Buffers.IBufferWriter<byte>
    {
        writer.WriteVarUInt32((uint)value.Length + 1);
        writer.WriteByte((byte)value.Padding);
        writer.Write(value.Span);
    }

    private static PayloadBuffer Read<TInput>(ref Reader<TInput> reader, byte form, uint length)
    {
        switch (form)
        {
            case Gone when length == 1:
                return PayloadBuffer.GivenBack();
            case Beside when length == BesideLength:
                var flush = reader.ReadUInt32();
                var place = reader.ReadByte() | (reader.ReadByte() << 8);
                var bytes = reader.ReadUInt32();
                var payloads = IncomingPayloads.Current ?? throw new InvalidDataException("a message refers to a payload beside it, and came alone");
                return payloads.Take(flush, place, bytes).HandOver();
            case < PayloadBuffer.TensorAlignment:
                var value = PayloadBuffer.Rent((int)length - 1, form);
                reader.ReadBytes(value.Span);
                return value.HandOver();
            default:
                throw new InvalidDataException($"a payload has the unknown form {form} with {length} bytes");
        }
    }
}

/// <summary>
/// The payloads that leave beside the messages of one flush. The transport opens it on the thread on which a message is serialized, while that is
/// serialized; <see cref="PayloadBufferCodec"/> finds it there. Anywhere else there is none, and payloads are written into the message.
/// </summary>
/// <param name="limit">Bytes that may leave beside one message.</param>
public sealed class OutgoingPayloads(long limit)
{
    /// <summary>A shorter payload is copied into its message, because a hand-over costs about as much as the copy.</summary>
    public const int MinBytes = 8 << 10;

    /// <summary>Payloads beside the messages of one flush; those beyond are written into the message.</summary>
    public const int MaxCount = 64;

    [ThreadStatic]
    private static OutgoingPayloads? _current;

    private readonly List<Entry> _entries = [];
    private int _committed;
    private int _thread;
    private long _messageBytes;

    /// <summary>The instance that is open on this thread.</summary>
    public static OutgoingPayloads? Current => _current is { } current && current._thread == Environment.CurrentManagedThreadId ? current : null;

    /// <summary>The number of the flush; a payload is found by it and its place in the flush.</summary>
    public uint Flush { get; private set; }

    /// <summary>Payloads of the messages that are complete.</summary>
    public ReadOnlySpan<Entry> Committed => CollectionsMarshal.AsSpan(_entries)[.._committed];

    /// <summary>Makes this the one of the current thread.</summary>
    /// <param name="offset">Where in the flush the message begins.</param>
    public void Open(int offset)
    {
        if (_current != this || _thread != Environment.CurrentManagedThreadId)
        {
            _thread = Environment.CurrentManagedThreadId;
            _current = this;
        }

        Offset = offset;
    }

    /// <summary>Ends the time in which payloads are added. The message is complete.</summary>
    public void Commit()
    {
        Close();
        _committed = _entries.Count;
        _messageBytes = 0;
    }

    /// <summary>Ends the time in which payloads are added, and releases those of an incomplete message.</summary>
    public void Abandon()
    {
        Close();
        for (var i = _committed; i < _entries.Count; i++)
        {
            _entries[i].Payload.Dispose();
        }

        _entries.RemoveRange(_committed, _entries.Count - _committed);
        _messageBytes = 0;
    }

    /// <summary>Forgets the payloads, which others hold now, and begins the next flush.</summary>
    public void Next()
    {
        _entries.Clear();
        _committed = 0;
        Flush++;
    }

    /// <summary>Takes over a count of <paramref name="payload"/>.</summary>
    /// <returns>Its place in the flush; −1 if it does not leave beside the message.</returns>
    /// <exception cref="ServingException">RESOURCE_EXHAUSTED: the message is too large.</exception>
    public int Add(PayloadBuffer payload)
    {
        if (payload.Length < MinBytes || _entries.Count == MaxCount)
        {
            return -1;
        }

        if ((_messageBytes += payload.Length) > limit)
        {
            throw new ServingException(new Failure(
                StatusCode.ResourceExhausted, $"a message with {_messageBytes} bytes of payload is larger than the {limit} that are sent to another process"));
        }

        _entries.Add(new Entry(payload, Offset));
        return _entries.Count - 1;
    }

    private int Offset { get; set; }

    private void Close()
    {
        _thread = 0;
        if (_current == this)
        {
            _current = null;
        }
    }

    /// <param name="Payload">With a count of its own.</param>
    /// <param name="Offset">Where in the flush its message begins.</param>
    public readonly record struct Entry(PayloadBuffer Payload, int Offset);
}

/// <summary>
/// The payloads that came beside the messages that are being read on this thread. The transport opens it there; <see cref="PayloadBufferCodec"/> takes
/// them out.
/// </summary>
public sealed class IncomingPayloads
{
    [ThreadStatic]
    private static IncomingPayloads? _current;

    private readonly List<Entry> _entries = [];
    private uint _flush;

    /// <summary>The instance that is open on this thread.</summary>
    public static IncomingPayloads? Current => _current;

    /// <summary>Payloads that are not taken yet.</summary>
    public int Count => _entries.Count;

    /// <summary>Makes this the one of the current thread.</summary>
    public void Open() => _current = this;

    /// <summary>Ends that.</summary>
    public void Close()
    {
        if (_current == this)
        {
            _current = null;
        }
    }

    /// <summary>Gives back the payloads that were not taken, and begins with those of another flush.</summary>
    public void Reset(uint flush)
    {
        foreach (var entry in _entries)
        {
            entry.Payload.Dispose();
        }

        _entries.Clear();
        _flush = flush;
    }

    /// <param name="place">Its place in the flush, as the sender counted.</param>
    /// <param name="payload">With a count, which goes to its taker.</param>
    public void Add(int place, PayloadBuffer payload) => _entries.Add(new Entry(place, payload));

    /// <summary>Takes a payload out, once.</summary>
    /// <exception cref="InvalidDataException">There is no such payload: the message does not belong to this flush.</exception>
    public PayloadBuffer Take(uint flush, int place, long length)
    {
        for (var i = 0; flush == _flush && i < _entries.Count; i++)
        {
            var entry = _entries[i];
            if (entry.Place == place && entry.Payload.Length == length)
            {
                _entries.RemoveAt(i);
                return entry.Payload;
            }
        }

        throw new InvalidDataException($"a message refers to a payload of {length} bytes that did not come with it");
    }

    private readonly record struct Entry(int Place, PayloadBuffer Payload);
}
