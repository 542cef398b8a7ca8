using System.Buffers;
using System.Runtime.InteropServices;
using Cluster.Contracts.Buffers;

namespace Cluster.Silo.Transport;

/// <summary>Whole frames that leave together: their bytes, and where between them the payloads lie. Not thread-safe.</summary>
internal sealed class FrameBatch
{
    private const int InitialBytes = 16 << 10;

    /// <summary>What is kept for the next frames.</summary>
    private const int KeptBytes = 256 << 10;

    private readonly List<(int Before, PayloadBuffer Payload)> _payloads = [];
    private byte[] _heads = [];
    private int _length;

    /// <summary>Bytes to be sent.</summary>
    public long Bytes { get; private set; }

    /// <summary>Appends a frame; takes over the counts of the payloads.</summary>
    public void Add(ReadOnlySpan<byte> messages, uint flush, long payloadBytes, ReadOnlySpan<OutgoingPayloads.Entry> payloads, int firstPlace)
    {
        var header = new FrameHeader(FrameKind.Messages, payloads.Length, messages.Length, flush, payloadBytes);
        var head = checked((int)header.HeadBytes);
        Reserve(head);
        WriteHead(_heads.AsSpan(_length), header, messages, payloads, firstPlace);
        _length += head;
        Bytes += head + payloadBytes;
        foreach (var entry in payloads)
        {
            _payloads.Add((_length, entry.Payload));
        }
    }

    public void AppendTo(List<ArraySegment<byte>> segments)
    {
        var start = 0;
        foreach (var (before, payload) in _payloads)
        {
            if (before > start)
            {
                segments.Add(new ArraySegment<byte>(_heads, start, before - start));
                start = before;
            }

            segments.Add(Segment(payload.Memory));
        }

        if (_length > start)
        {
            segments.Add(new ArraySegment<byte>(_heads, start, _length - start));
        }
    }

    /// <summary>Gives up the payloads.</summary>
    public void Clear()
    {
        foreach (var (_, payload) in _payloads)
        {
            payload.Dispose();
        }

        _payloads.Clear();
        _length = 0;
        Bytes = 0;
        if (_heads.Length > KeptBytes)
        {
            ArrayPool<byte>.Shared.Return(_heads);
            _heads = [];
        }
    }

    public static ArraySegment<byte> Segment(ReadOnlyMemory<byte> bytes)
    {
        MemoryMarshal.TryGetArray(bytes, out var segment);
        return segment;
    }

    /// <summary>Header, messages and an entry for each payload.</summary>
    public static void WriteHead(
        Span<byte> target, FrameHeader header, ReadOnlySpan<byte> messages, ReadOnlySpan<OutgoingPayloads.Entry> payloads, int firstPlace)
    {
        header.Write(target);
        messages.CopyTo(target[FrameHeader.Size..]);
        target = target[(FrameHeader.Size + messages.Length)..];
        for (var i = 0; i < payloads.Length; i++)
        {
            FrameHeader.WriteEntry(target[(i * FrameHeader.EntrySize)..], payloads[i].Payload, firstPlace + i);
        }
    }

    private void Reserve(int bytes)
    {
        if (bytes <= _heads.Length - _length)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(InitialBytes, Math.Max(checked(_length + bytes), (int)Math.Min(Array.MaxLength, 2L * _heads.Length))));
        _heads.AsSpan(0, _length).CopyTo(larger);
        if (_heads.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_heads);
        }

        _heads = larger;
    }
}
