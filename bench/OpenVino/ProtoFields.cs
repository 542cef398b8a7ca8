using System.Text;
using Google.Protobuf;

namespace Cluster.Bench.OpenVino;

/// <summary>A protobuf message as its fields in order, for the files of ONNX, which have no generated classes here. What is not changed is written as it was read.</summary>
internal sealed class ProtoFields
{
    private readonly List<Field> _fields = [];

    /// <exception cref="InvalidProtocolBufferException">It is no message.</exception>
    public static ProtoFields Parse(byte[] message)
    {
        var fields = new ProtoFields();
        using var input = new CodedInputStream(message);
        while (input.ReadTag() is > 0 and var tag)
        {
            fields._fields.Add(WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => new Field(tag, input.ReadUInt64(), null),
                WireFormat.WireType.Fixed32 => new Field(tag, input.ReadFixed32(), null),
                WireFormat.WireType.Fixed64 => new Field(tag, input.ReadFixed64(), null),
                _ => new Field(tag, 0, input.ReadBytes().ToByteArray()),
            });
        }

        return fields;
    }

    public IEnumerable<byte[]> Messages(int number) => _fields.Where(field => field.Number == number && field.Bytes is not null).Select(static field => field.Bytes!);

    public IEnumerable<ulong> Numbers(int number) => _fields.Where(field => field.Number == number && field.Bytes is null).Select(static field => field.Value);

    public string Text(int number) => Messages(number).Select(Encoding.UTF8.GetString).FirstOrDefault("");

    /// <summary>Replaces all fields of a number, behind the others.</summary>
    public void Set(int number, IEnumerable<byte[]> messages)
    {
        _fields.RemoveAll(field => field.Number == number);
        _fields.AddRange(messages.Select(bytes => new Field(WireFormat.MakeTag(number, WireFormat.WireType.LengthDelimited), 0, bytes)));
    }

    /// <summary>Replaces all fields of a number by one.</summary>
    public void Set(int number, ulong value)
    {
        _fields.RemoveAll(field => field.Number == number);
        _fields.Add(new Field(WireFormat.MakeTag(number, WireFormat.WireType.Varint), value, null));
    }

    public byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            foreach (var field in _fields)
            {
                Write(output, field);
            }
        }

        return bytes.ToArray();
    }

    private static void Write(CodedOutputStream output, Field field)
    {
        output.WriteTag(field.Tag);
        switch (WireFormat.GetTagWireType(field.Tag))
        {
            case WireFormat.WireType.Varint:
                output.WriteUInt64(field.Value);
                break;
            case WireFormat.WireType.Fixed32:
                output.WriteFixed32((uint)field.Value);
                break;
            case WireFormat.WireType.Fixed64:
                output.WriteFixed64(field.Value);
                break;
            default:
                output.WriteBytes(UnsafeByteOperations.UnsafeWrap(field.Bytes));
                break;
        }
    }

    /// <param name="Bytes">Null for a number.</param>
    private readonly record struct Field(uint Tag, ulong Value, byte[]? Bytes)
    {
        public int Number => WireFormat.GetTagFieldNumber(Tag);
    }
}
