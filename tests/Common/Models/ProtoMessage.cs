using System.Buffers;
using System.Text;
using Google.Protobuf;

namespace Cluster.Tests.Common;

/// <summary>A protobuf message put together field by field, for formats that have no generated classes here.</summary>
public sealed class ProtoMessage
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public ProtoMessage Number(int field, long value) => Write(output =>
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt64(value);
    });

    public ProtoMessage Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public ProtoMessage Message(int field, ProtoMessage value) => Bytes(field, value.ToBytes());

    public ProtoMessage Bytes(int field, ReadOnlySpan<byte> value)
    {
        var length = value.Length;
        Write(output =>
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteLength(length);
        });
        _bytes.Write(value);
        return this;
    }

    public byte[] ToBytes() => _bytes.WrittenSpan.ToArray();

    private ProtoMessage Write(Action<CodedOutputStream> write)
    {
        var bytes = new byte[32];
        using var output = new CodedOutputStream(bytes);
        write(output);
        _bytes.Write(bytes.AsSpan(0, (int)output.Position));
        return this;
    }
}
