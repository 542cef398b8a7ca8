using System.Buffers;

namespace Cluster.Bench.Clients;

/// <summary>One request in flight on a connection, reused for the next: its place in the frames to send, and the answer so far.</summary>
internal sealed class GrpcStream(GrpcFrames frames) : IDisposable
{
    private byte[] _answer = ArrayPool<byte>.Shared.Rent(4096);

    public GrpcFrames Frames { get; set; } = frames;

    /// <summary>The stream's number, 0 while nothing is in flight.</summary>
    public int Id { get; private set; }

    /// <summary>The next frame to send; all are sent when it reaches the count.</summary>
    public int NextFrame { get; set; }

    /// <summary>Payload bytes that the server still allows on this stream.</summary>
    public long Window { get; set; }

    /// <summary>When the request began, in ticks of the monotonic clock.</summary>
    public long StartTimestamp { get; private set; }

    public int AnswerLength { get; private set; }

    /// <summary>The answer's message with gRPC's five bytes in front.</summary>
    public ReadOnlySpan<byte> Answer => _answer.AsSpan(0, AnswerLength);

    public void Begin(int id, int window, long timestamp)
    {
        Frames.SetStream(id);
        Id = id;
        NextFrame = 0;
        Window = window;
        StartTimestamp = timestamp;
        AnswerLength = 0;
    }

    public void Append(ReadOnlySpan<byte> data)
    {
        if (AnswerLength + data.Length > _answer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(AnswerLength + data.Length, 2 * _answer.Length));
            Answer.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_answer);
            _answer = larger;
        }

        data.CopyTo(_answer.AsSpan(AnswerLength));
        AnswerLength += data.Length;
    }

    public void End() => Id = 0;

    public void Dispose() => ArrayPool<byte>.Shared.Return(_answer);
}
