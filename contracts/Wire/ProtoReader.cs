using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Wire;

/// <summary>
/// Walks the fields of one protobuf message in place. Malformed bytes throw <see cref="ServingException"/> with
/// INVALID_ARGUMENT, so that a client's mistake never looks like ours.
/// </summary>
/// <param name="message">The whole payload that the offsets of returned slices refer to.</param>
/// <param name="range">The part of it that holds this message.</param>
/// <param name="messageName">The message's name, for errors.</param>
public ref struct ProtoReader(ReadOnlySpan<byte> message, Slice range, string messageName)
{
    /// <summary>Groups are not used by any message here; one nested deeper than this is hostile, not unknown.</summary>
    private const int MaxGroupDepth = 64;

    private readonly ReadOnlySpan<byte> _message = message;
    private readonly int _end = range.Offset + range.Length;
    private readonly string _messageName = messageName;
    private int _position = range.Offset;

    public ProtoReader(ReadOnlySpan<byte> message, string messageName)
        : this(message, new Slice(0, message.Length), messageName)
    {
    }

    /// <summary>The current field's number, at least 1.</summary>
    public int Field { get; private set; }

    public WireType WireType { get; private set; }

    /// <summary>Where the next unread byte is.</summary>
    public readonly int Position => _position;

    /// <summary>Moves to the next field; false at the message's end.</summary>
    public bool Next()
    {
        if (_position == _end)
        {
            return false;
        }

        var tag = ReadVarint();
        Field = (int)(tag >> 3);
        WireType = (WireType)(tag & 7);
        if (tag > uint.MaxValue || Field == 0 || WireType > WireType.Fixed32)
        {
            throw Malformed("has an invalid field tag");
        }

        return true;
    }

    /// <summary>A base-128 number of at most 10 bytes; longer forms than needed are legal.</summary>
    public ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (_position == _end)
            {
                throw Malformed("is cut off");
            }

            var next = _message[_position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Malformed("has a number of more than 10 bytes");
    }

    /// <summary>The current field as a varint.</summary>
    public ulong ReadVarintField()
    {
        Expect(WireType.Varint);
        return ReadVarint();
    }

    /// <summary>The current field as a length-delimited part: string, bytes or message.</summary>
    public Slice ReadSlice()
    {
        Expect(WireType.LengthDelimited);
        var length = ReadVarint();
        if (length > (ulong)(_end - _position))
        {
            throw Malformed($"has a field {Field} of {length} bytes where {_end - _position} are left");
        }

        var slice = new Slice(_position, (int)length);
        _position += (int)length;
        return slice;
    }

    /// <summary>The current field as a string, which proto3 wants to be UTF-8.</summary>
    public Slice ReadString()
    {
        var slice = ReadSlice();
        return Utf8.IsValid(slice.Of(_message)) ? slice : throw Malformed($"has a field {Field} that is not UTF-8");
    }

    public uint ReadFixed32()
    {
        var start = Advance(sizeof(uint));
        return BinaryPrimitives.ReadUInt32LittleEndian(_message[start..]);
    }

    public ulong ReadFixed64()
    {
        var start = Advance(sizeof(ulong));
        return BinaryPrimitives.ReadUInt64LittleEndian(_message[start..]);
    }

    /// <summary>Passes over the current field's value.</summary>
    public void Skip() => Skip(depth: 0);

    private void Skip(int depth)
    {
        switch (WireType)
        {
            case WireType.Varint:
                ReadVarint();
                break;
            case WireType.Fixed64:
                Advance(sizeof(ulong));
                break;
            case WireType.LengthDelimited:
                ReadSlice();
                break;
            case WireType.Fixed32:
                Advance(sizeof(uint));
                break;
            case WireType.StartGroup when depth < MaxGroupDepth:
                SkipGroup(Field, depth + 1);
                break;
            default:
                throw Malformed("has a group that does not fit");
        }
    }

    private void SkipGroup(int group, int depth)
    {
        while (Next())
        {
            if (WireType == WireType.EndGroup)
            {
                if (Field != group)
                {
                    break;
                }

                return;
            }

            Skip(depth);
        }

        throw Malformed("has a group that does not end");
    }

    private int Advance(int bytes)
    {
        if (_end - _position < bytes)
        {
            throw Malformed("is cut off");
        }

        var start = _position;
        _position += bytes;
        return start;
    }

    private readonly void Expect(WireType wireType)
    {
        if (WireType != wireType)
        {
            throw Malformed($"has field {Field} as {WireType}, expected {wireType}");
        }
    }

    /// <summary>The error for bytes that are not this message.</summary>
    public readonly ServingException Malformed(string what) =>
        ServingException.InvalidArgument($"malformed {_messageName}: the message {what} (near byte {_position})");
}

/// <summary>How a protobuf field's value is laid out (protobuf encoding guide, "Message structure").</summary>
public enum WireType : byte
{
    Varint = 0,
    Fixed64 = 1,
    LengthDelimited = 2,
    StartGroup = 3,
    EndGroup = 4,
    Fixed32 = 5,
}

/// <summary>A part of a message, as a position in its bytes.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes; 0 for an absent or empty field.</param>
public readonly record struct Slice(int Offset, int Length)
{
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> message) => message.Slice(Offset, Length);

    public Span<byte> Of(Span<byte> message) => message.Slice(Offset, Length);
}

/// <summary>Text out of a message, for errors and for keys.</summary>
public static class Utf8Text
{
    /// <summary>Names in errors are cut here, so that a client cannot make us send its megabytes back.</summary>
    private const int MaxLength = 256;

    /// <summary>The text at <paramref name="slice"/>, cut after 256 bytes.</summary>
    public static string Of(ReadOnlySpan<byte> message, Slice slice) => Of(slice.Of(message));

    /// <inheritdoc cref="Of(ReadOnlySpan{byte}, Slice)"/>
    public static string Of(ReadOnlySpan<byte> utf8) =>
        utf8.Length <= MaxLength ? Encoding.UTF8.GetString(utf8) : Encoding.UTF8.GetString(utf8[..MaxLength]) + "…";
}
