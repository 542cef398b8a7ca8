using System.Runtime.InteropServices;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace Cluster.Contracts.Buffers;

/// <summary>
/// Message bytes in an Orleans message: a byte that says how far they lie behind a multiple of 8, then the bytes. Within a process they are passed on as they are.
/// What comes from another process is received into pooled memory whose owner is whoever is handed it: the caller for a result. An argument that nobody disposes
/// is left to the collector.
/// </summary>
[RegisterSerializer, RegisterCopier]
internal sealed class PayloadBufferCodec : IFieldCodec<PayloadBuffer>, IDeepCopier<PayloadBuffer>
{
    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, PayloadBuffer? value)
        where TBufferWriter : System.Buffers.IBufferWriter<byte>
    {
        if (ReferenceCodec.TryWriteReferenceField(ref writer, fieldIdDelta, expectedType, value))
        {
            return;
        }

        // A null value has been written as a reference.
        var bytes = value!.Memory;
        MemoryMarshal.TryGetArray<byte>(bytes, out var segment);
        writer.WriteFieldHeader(fieldIdDelta, expectedType, typeof(PayloadBuffer), WireType.LengthPrefixed);
        writer.WriteVarUInt32((uint)bytes.Length + 1);
        writer.WriteByte((byte)(segment.Offset % PayloadBuffer.TensorAlignment));
        writer.Write(bytes.Span);
    }

    public PayloadBuffer? ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference)
        {
            return ReferenceCodec.ReadReference<PayloadBuffer, TInput>(ref reader, field);
        }

        field.EnsureWireType(WireType.LengthPrefixed);
        var length = (long)reader.ReadVarUInt32() - 1;
        if (length < 0 || length > reader.Length - reader.Position)
        {
            throw new InvalidOperationException($"a payload of {length} bytes does not fit the message that it came in");
        }

        var value = PayloadBuffer.Rent((int)length, reader.ReadByte() % PayloadBuffer.TensorAlignment);
        reader.ReadBytes(value.Span);
        ReferenceCodec.RecordObject(reader.Session, value);
        return value;
    }

    public PayloadBuffer? DeepCopy(PayloadBuffer? input, CopyContext context) => input;
}
