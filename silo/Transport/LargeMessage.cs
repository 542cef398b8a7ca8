using Cluster.Contracts.Buffers;

namespace Cluster.Silo.Transport;

/// <summary>A message whose payloads come in pieces.</summary>
internal sealed class LargeMessage(ReadOnlySpan<byte> messages, FrameHeader header, (int Place, PayloadBuffer Payload)[] payloads) : IDisposable
{
    private int _index;
    private int _offset;

    public ReadOnlyMemory<byte> Messages { get; } = messages.ToArray();

    public uint Flush => header.Flush;

    public (int Place, PayloadBuffer Payload)[] Payloads => payloads;

    public bool IsComplete => _index == payloads.Length;

    /// <summary>Where the bytes of a piece go.</summary>
    public Memory<byte> Next(FrameHeader piece)
    {
        var payload = payloads[_index].Payload;
        if (piece.Flush != header.Flush || piece.PayloadBytes > payload.Length - _offset)
        {
            throw new InvalidDataException("a piece does not fit the message that it is of");
        }

        var target = payload.Memory.Slice(_offset, (int)piece.PayloadBytes);
        _offset += target.Length;
        if (_offset == payload.Length)
        {
            _index++;
            _offset = 0;
        }

        return target;
    }

    public void Dispose()
    {
        foreach (var (_, payload) in payloads)
        {
            payload.Dispose();
        }
    }
}
