using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>Reads a message's body. Every length is checked before it is used; whatever is wrong is a <see cref="WireFormatException"/>.</summary>
public ref struct WireReader
{
    internal const int KindBits = 3;

    /// <summary>Objects and lists in each other: far more than contracts have, and no danger to the stack.</summary>
    private const int MaxDepth = 64;

    private readonly ReadOnlySpan<byte> _body;
    private readonly IncomingSegments? _segments;
    private int _position;
    private int _depth;

    internal WireReader(ReadOnlySpan<byte> body, int length, IncomingSegments? segments)
    {
        _body = body;
        _segments = segments;
        End = length;
    }

    internal WireReader(ReadOnlySpan<byte> body)
        : this(body, body.Length, null)
    {
    }

    /// <summary>Where the values end; behind are segments.</summary>
    private int End { get; }

    internal readonly int Remaining => End - _position;

    /// <summary>Reads the key of the next member; false at the end of the object.</summary>
    public bool TryReadKey(out uint id, out WireKind kind)
    {
        var key = ReadVarint();
        kind = (WireKind)(key & ((1 << KindBits) - 1));
        id = 0;
        if (key == 0)
        {
            return false;
        }

        var shifted = key >> KindBits;
        if (shifted is 0 or > uint.MaxValue)
        {
            throw new WireFormatException($"{key} is not the key of a member");
        }

        id = (uint)shifted - 1;
        return true;
    }

    /// <summary>Passes over a value that nobody here knows.</summary>
    public void Skip(WireKind kind)
    {
        switch (kind)
        {
            case WireKind.Varint:
                ReadVarint();
                break;
            case WireKind.Fixed32:
                Take(sizeof(uint));
                break;
            case WireKind.Fixed64:
                Take(sizeof(ulong));
                break;
            case WireKind.Bytes:
                ReadBytes();
                break;
            case WireKind.Object:
                SkipObject();
                break;
            case WireKind.List:
                SkipList();
                break;
            case WireKind.Segment:
                // Its bytes belong to nobody then, and are dropped when the message is complete.
                ReadVarint();
                break;
        }
    }

    internal void Enter()
    {
        if (++_depth > MaxDepth)
        {
            throw new WireFormatException($"values are nested deeper than {MaxDepth}");
        }
    }

    internal void Leave() => _depth--;

    internal byte ReadByte() => Take(1)[0];

    internal ulong ReadVarint()
    {
        var result = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = ReadByte();
            if (shift == 63 && next > 1)
            {
                break;
            }

            result |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return result;
            }
        }

        throw new WireFormatException("a number is longer than 64 bits");
    }

    internal long ReadSigned()
    {
        var folded = ReadVarint();
        return (long)(folded >> 1) ^ -(long)(folded & 1);
    }

    internal uint ReadFixed32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    internal ulong ReadFixed64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    internal ReadOnlySpan<byte> ReadBytes() => Take(ReadCount());

    internal string ReadText()
    {
        var bytes = ReadBytes();
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw new WireFormatException("a text is not UTF-8");
    }

    /// <summary>A count of things of at least one byte each, so never more than there are bytes.</summary>
    internal int ReadCount()
    {
        var count = ReadVarint();
        return count <= (ulong)Remaining ? (int)count : throw new WireFormatException($"{count} bytes or items are announced where {Remaining} bytes are left");
    }

    internal WireKind ReadKind()
    {
        var kind = ReadByte();
        return kind <= (byte)WireKind.Null ? (WireKind)kind : throw new WireFormatException($"{kind} is not a kind of value");
    }

    internal T ReadSegment<T>(PayloadCodec<T> codec)
        where T : class, IDisposable
    {
        var index = ReadVarint();
        return _segments is null ? throw new WireFormatException($"there is no segment {index}") : _segments.Take(index, codec, _body);
    }

    private void SkipObject()
    {
        Enter();
        while (TryReadKey(out _, out var kind))
        {
            Skip(kind);
        }

        Leave();
    }

    private void SkipList()
    {
        Enter();
        var count = ReadCount();
        var kind = ReadKind();
        for (var i = 0; i < count; i++)
        {
            Skip(kind == WireKind.Null ? ReadKind() : kind);
        }

        Leave();
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > Remaining)
        {
            throw new WireFormatException($"{count} bytes are needed where {Remaining} are left");
        }

        var taken = _body.Slice(_position, count);
        _position += count;
        return taken;
    }
}
