using System.Buffers;
using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// A frame that is ready to be sent, and the payloads that follow it in chunks. A request's payloads are the caller's, lent until
/// the call ends; a response's are disposed by <see cref="Release"/>.
/// </summary>
internal sealed class OutgoingMessage
{
    private readonly byte[] _head;
    private readonly WireSegment[] _chunked;
    private readonly IDisposable[] _owned;
    private int _segment;
    private int _offset;

    private OutgoingMessage(byte[] head, int headLength, WireSegment[] chunked, IDisposable[] owned, FrameHeader header)
    {
        _head = head;
        _chunked = chunked;
        _owned = owned;
        HeadLength = headLength;
        Header = header;
        Bytes = headLength + chunked.Sum(static segment => (long)segment.Bytes.Length);
    }

    public FrameHeader Header { get; }

    public int HeadLength { get; }

    /// <summary>In all, payloads included.</summary>
    public long Bytes { get; }

    /// <summary>The call that this asks for, or null.</summary>
    public OutgoingCall? Call { get; init; }

    public ReadOnlyMemory<byte> Head => _head.AsMemory(0, HeadLength);

    public bool HasChunks => _segment < _chunked.Length;

    /// <summary>Bytes that <see cref="TakeChunk"/> gives, while there are chunks.</summary>
    public int NextChunkLength => Math.Min(_chunked[_segment].Bytes.Length - _offset, WireLimits.MaxChunkLength);

    /// <summary>A frame without body.</summary>
    public static OutgoingMessage Signal(FrameType type, ulong id, byte flag = 0)
    {
        var head = ArrayPool<byte>.Shared.Rent(FrameHeader.Size);
        var header = new FrameHeader(0, type, flag, 0, id);
        header.Write(head);
        return new OutgoingMessage(head, FrameHeader.Size, [], [], header);
    }

    /// <summary>A writer for a body, with room for the header in front.</summary>
    public static WireWriter BeginBody()
    {
        var writer = new WireWriter();
        writer.Reserve(FrameHeader.Size);
        return writer;
    }

    /// <summary>Adds short payloads and the table of payloads to the body, and the header. The writer's memory becomes the message's.</summary>
    /// <param name="maxBytes">Of all payloads.</param>
    /// <exception cref="WireFormatException">The message is too large; the writer still has its memory.</exception>
    public static OutgoingMessage Finish(WireWriter writer, FrameType type, byte flag, ulong id, long maxBytes, OutgoingCall? call)
    {
        var segments = writer.Segments;
        var total = 0L;
        foreach (var segment in segments)
        {
            total += segment.Bytes.Length;
            if (!IsChunked(segment))
            {
                segment.Bytes.Span.CopyTo(writer.Reserve(segment.Bytes.Length));
            }
        }

        foreach (var segment in segments)
        {
            IncomingSegments.WriteEntry(writer.Reserve(IncomingSegments.EntryLength), segment, IsChunked(segment));
        }

        var length = writer.Length - FrameHeader.Size;
        if (length > WireLimits.MaxBodyLength || segments.Count > WireLimits.MaxSegments || total > maxBytes)
        {
            throw new WireFormatException(
                $"a message of {length} bytes with {segments.Count} payloads of {total} bytes is too large; the limits are "
                + $"{WireLimits.MaxBodyLength}, {WireLimits.MaxSegments} and {maxBytes}");
        }

        var header = new FrameHeader(length, type, flag, segments.Count, id);
        header.Write(writer.Written);
        WireSegment[] chunked = segments.Count == 0 ? [] : [.. segments.Where(IsChunked)];
        IDisposable[] owned = type == FrameType.Response && segments.Count > 0 ? [.. segments.Select(static segment => segment.Owner)] : [];
        var written = writer.Length;
        return new OutgoingMessage(writer.Detach(), written, chunked, owned, header) { Call = call };
    }

    /// <summary>The next chunk; the last one leaves <see cref="HasChunks"/> false.</summary>
    public ReadOnlyMemory<byte> TakeChunk()
    {
        var bytes = _chunked[_segment].Bytes;
        var chunk = bytes.Slice(_offset, NextChunkLength);
        _offset += chunk.Length;
        if (_offset == bytes.Length)
        {
            _segment++;
            _offset = 0;
        }

        return chunk;
    }

    /// <summary>It is written, or never will be. Called once.</summary>
    public void Release()
    {
        ArrayPool<byte>.Shared.Return(_head);
        foreach (var owned in _owned)
        {
            owned.Dispose();
        }
    }

    private static bool IsChunked(WireSegment segment) => segment.Bytes.Length > WireLimits.MaxInlineSegment;
}
