using System.Buffers.Binary;

namespace Cluster.Bench.Clients;

/// <summary>
/// A whole request as HTTP/2 frames, laid out once: HEADERS, then DATA to its end. To send it again only the stream's number
/// is written into each frame, so the payload is never copied in this process.
/// </summary>
internal sealed class GrpcFrames
{
    private readonly byte[] _bytes;
    private readonly int[] _starts;

    /// <param name="headers">The compressed header block.</param>
    /// <param name="message">With gRPC's five bytes in front.</param>
    public GrpcFrames(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> message)
    {
        Count = 1 + ((message.Length + Http2.MaxFramePayload - 1) / Http2.MaxFramePayload);
        _bytes = new byte[headers.Length + message.Length + (Count * Http2.FrameHeaderSize)];
        _starts = new int[Count + 1];
        Append(0, Http2.Headers, Http2.EndHeaders, headers);
        for (var frame = 1; frame < Count; frame++)
        {
            var rest = message[((frame - 1) * Http2.MaxFramePayload)..];
            var last = rest.Length <= Http2.MaxFramePayload;
            Append(frame, Http2.Data, last ? Http2.EndStream : (byte)0, last ? rest : rest[..Http2.MaxFramePayload]);
        }
    }

    /// <summary>Frames in all.</summary>
    public int Count { get; }

    public void SetStream(int stream)
    {
        for (var frame = 0; frame < Count; frame++)
        {
            BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(_starts[frame] + 5), stream);
        }
    }

    /// <summary>What flow control counts of a frame: its payload, 0 for HEADERS.</summary>
    public int WindowOf(int frame) => frame == 0 ? 0 : _starts[frame + 1] - _starts[frame] - Http2.FrameHeaderSize;

    /// <summary>The bytes of frames <paramref name="first"/> to before <paramref name="end"/>.</summary>
    public ReadOnlySpan<byte> Bytes(int first, int end) => _bytes.AsSpan(_starts[first].._starts[end]);

    private void Append(int frame, byte type, byte flags, ReadOnlySpan<byte> payload)
    {
        var target = _bytes.AsSpan(_starts[frame]);
        Http2.WriteHeader(target, payload.Length, type, flags, 0);
        payload.CopyTo(target[Http2.FrameHeaderSize..]);
        _starts[frame + 1] = _starts[frame] + Http2.FrameHeaderSize + payload.Length;
    }
}
