using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>The messages of one connection whose frames are here and whose payloads still arrive. For its reading thread only.</summary>
/// <param name="reader">Where the chunks come from.</param>
/// <param name="maxMessageBytes">Payload bytes of one message.</param>
/// <param name="maxBytes">Payload bytes announced and not complete, in all: what the other end may make this one hold.</param>
internal sealed class PartialMessages(FrameReader reader, long maxMessageBytes, long maxBytes)
{
    private readonly Dictionary<(ulong Id, bool IsResponse), PartialMessage> _messages = [];
    private long _bytes;

    /// <summary>Reads the table of a message's payloads; null if there are none.</summary>
    /// <exception cref="WireFormatException">The table makes no sense or announces too much.</exception>
    public IncomingSegments? Parse(FrameHeader header, ReadOnlySpan<byte> body)
    {
        if (header.Segments == 0)
        {
            return null;
        }

        var segments = IncomingSegments.Parse(body, header.Segments, maxMessageBytes);
        return _bytes + segments.ChunkedBytes <= maxBytes
            ? segments
            : throw new WireFormatException($"more than {maxBytes} bytes of payloads were announced and have not come");
    }

    /// <exception cref="WireFormatException">There is one of that number.</exception>
    public void Add(ulong id, bool isResponse, PartialMessage message)
    {
        if (!_messages.TryAdd((id, isResponse), message))
        {
            message.Abandon();
            throw new WireFormatException($"message {id} came twice");
        }

        _bytes += message.Segments.ChunkedBytes;
    }

    /// <summary>Receives a chunk straight into its payload; the last one completes the message.</summary>
    /// <exception cref="WireFormatException">It belongs to no message, or is too long.</exception>
    public async ValueTask ReceiveChunkAsync(FrameHeader header)
    {
        var key = (header.Id, header.Flag == 1);
        if (!_messages.TryGetValue(key, out var message))
        {
            throw new WireFormatException($"a chunk belongs to no message (number {header.Id})");
        }

        var target = message.Advance(header.Length);
        if (target.IsEmpty)
        {
            await reader.SkipAsync(header.Length).ConfigureAwait(false);
        }
        else
        {
            await reader.ReadExactlyAsync(target).ConfigureAwait(false);
        }

        if (message.IsComplete)
        {
            _messages.Remove(key);
            _bytes -= message.Segments.ChunkedBytes;
            message.Complete();
        }
    }

    /// <summary>No further chunk of that message comes.</summary>
    public void Abandon(ulong id, bool isResponse)
    {
        if (_messages.Remove((id, isResponse), out var message))
        {
            _bytes -= message.Segments.ChunkedBytes;
            message.Abandon();
        }
    }

    public void AbandonAll()
    {
        foreach (var (id, isResponse) in _messages.Keys.ToArray())
        {
            Abandon(id, isResponse);
        }
    }
}
