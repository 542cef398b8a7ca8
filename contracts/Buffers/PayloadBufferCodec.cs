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
