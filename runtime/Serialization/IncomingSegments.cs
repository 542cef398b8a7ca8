using System.Buffers.Binary;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>
/// The segments of a message that arrives, as the table at the end of its body announces them. Short ones stand in the body, in
/// front of the table; the others arrive in chunks afterwards. Owns the payloads that it made until somebody takes them over.
/// </summary>
internal sealed class IncomingSegments
{
    /// <summary>A table entry: length (4 bytes), misalignment (1), whether it comes in chunks (1), and two that are 0.</summary>
    public const int EntryLength = 8;

    private readonly Segment[] _segments;

    private IncomingSegments(Segment[] segments, int bodyLength)
    {
        _segments = segments;
        BodyLength = bodyLength;
        TotalBytes = segments.Sum(static segment => (long)segment.Length);
        ChunkedBytes = segments.Sum(static segment => segment.IsChunked ? (long)segment.Length : 0);
    }

    /// <summary>Bytes of values in front of the segments.</summary>
    public int BodyLength { get; }

    public int Count => _segments.Length;

    /// <exception cref="WireFormatException">The table does not fit the body, or announces more than allowed.</exception>
    public static IncomingSegments Parse(ReadOnlySpan<byte> body, int count, long maxBytes)
    {
        var tableLength = count * EntryLength;
        if (tableLength > body.Length)
        {
            throw new WireFormatException($"a table of {count} segments does not fit a body of {body.Length} bytes");
        }

        var table = body[^tableLength..];
        var segments = new Segment[count];
        var inline = 0L;
        var total = 0L;
        for (var i = 0; i < count; i++)
        {
            var segment = ParseEntry(table.Slice(i * EntryLength, EntryLength));
            total += segment.Length;
            inline += segment.IsChunked ? 0 : segment.Length;
            segments[i] = segment;
        }

        if (total > maxBytes || inline > body.Length - tableLength)
        {
            throw new WireFormatException($"segments of {total} bytes are announced; the limit is {maxBytes}");
        }

        var bodyLength = body.Length - tableLength - (int)inline;
        Place(segments, bodyLength);
        return new IncomingSegments(segments, bodyLength);
    }

    public static void WriteEntry(Span<byte> entry, WireSegment segment, bool isChunked)
    {
        entry.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(entry, segment.Bytes.Length);
        entry[4] = (byte)segment.Misalignment;
        entry[5] = isChunked ? (byte)1 : (byte)0;
    }

    /// <summary>Bytes of all segments.</summary>
    public long TotalBytes { get; }

    /// <summary>Bytes that come in chunks.</summary>
    public long ChunkedBytes { get; }

    public bool HasChunks => ChunkedBytes > 0;

    public bool IsChunked(int index) => _segments[index].IsChunked;

    public int Length(int index) => _segments[index].Length;

    /// <summary>Where a segment's bytes go; empty if nobody wants them.</summary>
    public Memory<byte> Memory(int index) => _segments[index].Memory;

    public T Take<T>(ulong index, PayloadCodec<T> codec, ReadOnlySpan<byte> body)
        where T : class, IDisposable
    {
        if (index >= (ulong)_segments.Length || _segments[index].Payload is not null)
        {
            throw new WireFormatException($"there is no segment {index}, or it was taken before");
        }

        ref var segment = ref _segments[index];
        var payload = codec.Rent(segment.Length, segment.Misalignment, out segment.Memory);
        segment.Payload = payload;
        if (!segment.IsChunked)
        {
            body.Slice(segment.Offset, segment.Length).CopyTo(segment.Memory.Span);
        }

        return payload;
    }

    /// <summary>Somebody else disposes that payload.</summary>
    public void Forget(IDisposable payload)
    {
        for (var i = 0; i < _segments.Length; i++)
        {
            if (ReferenceEquals(_segments[i].Payload, payload))
            {
                _segments[i].Payload = null;
            }
        }
    }

    /// <summary>Gives every payload back that is still here, after which no byte is received for it; a second call finds none.</summary>
    public void DisposePayloads()
    {
        for (var i = 0; i < _segments.Length; i++)
        {
            var payload = _segments[i].Payload;
            _segments[i].Payload = null;
            _segments[i].Memory = default;
            payload?.Dispose();
        }
    }

    private static Segment ParseEntry(ReadOnlySpan<byte> entry)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(entry);
        if (length < 0 || entry[4] >= WireSegment.Alignment || entry[5] > 1)
        {
            throw new WireFormatException("a segment's table entry makes no sense");
        }

        return new Segment { Length = length, Misalignment = entry[4], IsChunked = entry[5] == 1 };
    }

    private static void Place(Segment[] segments, int offset)
    {
        for (var i = 0; i < segments.Length; i++)
        {
            segments[i].Offset = offset;
            offset += segments[i].IsChunked ? 0 : segments[i].Length;
        }
    }

    private struct Segment
    {
        public int Length;
        public int Misalignment;
        public bool IsChunked;
        public int Offset;
        public IDisposable? Payload;
        public Memory<byte> Memory;
    }
}
