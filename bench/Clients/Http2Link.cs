using System.Buffers.Binary;
using System.Net.Sockets;

namespace Cluster.Bench.Clients;

/// <summary>
/// Frames in and out of one socket, and flow control both ways. What is to be sent gathers in a buffer until <see cref="Pump"/>,
/// so that small requests which become due together leave in one system call.
/// </summary>
internal sealed class Http2Link : IDisposable
{
    private const int SendBufferSize = 64 * 1024;

    /// <summary>The server may always send this much more before it hears from us.</summary>
    private const int ReceivedBeforeUpdate = 1 << 30;

    private readonly Socket _socket;
    private readonly GrpcStream[] _streams;
    private readonly Action<GrpcStream, string?> _answered;
    private readonly byte[] _output = new byte[SendBufferSize];
    private readonly byte[] _input = new byte[512 * 1024];
    private int _outputLength;
    private int _inputStart;
    private int _inputEnd;
    private long _window = Http2.DefaultWindow;
    private int _maxStreams = int.MaxValue;
    private int _receivedSinceUpdate;

    /// <param name="answered">Called as a call ends, with null or why it failed; may send the next on the same stream object.</param>
    public Http2Link(Socket socket, GrpcStream[] streams, Action<GrpcStream, string?> answered)
    {
        _socket = socket;
        _streams = streams;
        _answered = answered;
        Write(Http2.Opening());
    }

    /// <summary>Payload bytes that a new stream may send at once.</summary>
    public int InitialWindow { get; private set; } = Http2.DefaultWindow;

    /// <exception cref="InvalidDataException">The server takes fewer calls at a time on a connection.</exception>
    public void RequireStreams(int count)
    {
        if (count > _maxStreams)
        {
            throw new InvalidDataException($"the server allows {_maxStreams} calls at a time on a connection, not {count}: use more --connections");
        }
    }

    /// <summary>Queues what the windows allow of the stream's remaining frames, whole frames only.</summary>
    public void Send(GrpcStream stream)
    {
        var frames = stream.Frames;
        var first = stream.NextFrame;
        var end = first;
        while (end < frames.Count && frames.WindowOf(end) <= Math.Min(_window, stream.Window))
        {
            _window -= frames.WindowOf(end);
            stream.Window -= frames.WindowOf(end);
            end++;
        }

        if (end > first)
        {
            stream.NextFrame = end;
            Write(frames.Bytes(first, end));
        }
    }

    /// <summary>Sends what is queued, waits for bytes, and acts on every whole frame that has come.</summary>
    public void Pump()
    {
        Flush();
        if (_inputStart > 0)
        {
            _input.AsSpan(_inputStart, _inputEnd - _inputStart).CopyTo(_input);
            _inputEnd -= _inputStart;
            _inputStart = 0;
        }

        _inputEnd += _socket.ReceiveSome(_input.AsSpan(_inputEnd));
        while (_inputEnd - _inputStart >= Http2.FrameHeaderSize)
        {
            var header = _input.AsSpan(_inputStart);
            var length = BinaryPrimitives.ReadInt32BigEndian(header) >>> 8;
            if (length > Http2.MaxFramePayload)
            {
                throw new InvalidDataException("the server does not speak HTTP/2 here, or sent a frame larger than allowed");
            }

            if (_inputEnd - _inputStart < Http2.FrameHeaderSize + length)
            {
                break;
            }

            _inputStart += Http2.FrameHeaderSize + length;
            OnFrame(header[3], header[4], BinaryPrimitives.ReadInt32BigEndian(header[5..]), header.Slice(Http2.FrameHeaderSize, length));
        }
    }

    public void Dispose() => _socket.Dispose();

    private void OnFrame(byte type, byte flags, int id, ReadOnlySpan<byte> payload)
    {
        if (payload.Length < Http2.LeastPayload(type, flags))
        {
            throw new InvalidDataException($"the server sent an HTTP/2 frame of type {type} that is too short");
        }

        switch (type)
        {
            case Http2.Data:
                OnData(flags, Find(id), payload);
                break;
            case Http2.Headers:
                OnHeaders(flags, Find(id), payload);
                break;
            case Http2.ResetStream:
                End(Find(id), $"the server reset the call with HTTP/2 error {BinaryPrimitives.ReadInt32BigEndian(payload)}");
                break;
            case Http2.Settings when (flags & Http2.Ack) == 0:
                OnSettings(payload);
                break;
            case Http2.Ping when (flags & Http2.Ack) == 0:
                Write(Http2.Frame(Http2.Ping, Http2.Ack, 0, payload));
                break;
            case Http2.GoAway:
                throw new IOException($"the server is closing the connection, HTTP/2 error {BinaryPrimitives.ReadInt32BigEndian(payload[4..])}");
            case Http2.WindowUpdate:
                OnWindowUpdate(id, BinaryPrimitives.ReadInt32BigEndian(payload));
                break;
        }
    }

    private void OnData(byte flags, GrpcStream? stream, ReadOnlySpan<byte> payload)
    {
        Replenish(payload.Length);
        stream?.Append((flags & Http2.Padded) == 0 ? payload : Http2.WithoutPadding(payload));
        if ((flags & Http2.EndStream) != 0)
        {
            End(stream, "the answer ended without trailers");
        }
    }

    private void OnHeaders(byte flags, GrpcStream? stream, ReadOnlySpan<byte> payload)
    {
        if ((flags & (Http2.Padded | Http2.Priority)) != 0 || (flags & Http2.EndHeaders) == 0)
        {
            throw new InvalidDataException("the server's headers are padded, prioritised or in several frames, which this client does not read");
        }

        if ((flags & Http2.EndStream) != 0)
        {
            End(stream, GrpcTrailers.Failure(payload));
        }
    }

    private void OnSettings(ReadOnlySpan<byte> payload)
    {
        for (; payload.Length >= 6; payload = payload[6..])
        {
            var value = BinaryPrimitives.ReadUInt32BigEndian(payload[2..]);
            switch (BinaryPrimitives.ReadUInt16BigEndian(payload))
            {
                case Http2.SettingHeaderTableSize when value < Http2.DefaultHeaderTableSize:
                    throw new InvalidDataException($"the server keeps a header table of {value} bytes; this client relies on {Http2.DefaultHeaderTableSize}");
                case Http2.SettingMaxConcurrentStreams:
                    _maxStreams = (int)Math.Min(value, int.MaxValue);
                    break;
                case Http2.SettingInitialWindowSize:
                    ChangeInitialWindow((int)value);
                    break;
            }
        }

        Write(Http2.Frame(Http2.Settings, Http2.Ack, 0, []));
        SendWaiting();
    }

    private void ChangeInitialWindow(int value)
    {
        foreach (var stream in _streams)
        {
            stream.Window += value - InitialWindow;
        }

        InitialWindow = value;
    }

    private void OnWindowUpdate(int id, int increment)
    {
        if (id == 0)
        {
            _window += increment;
            SendWaiting();
        }
        else if (Find(id) is { } stream)
        {
            stream.Window += increment;
            Send(stream);
        }
    }

    private void SendWaiting()
    {
        foreach (var stream in _streams)
        {
            if (stream.Id != 0)
            {
                Send(stream);
            }
        }
    }

    private void Replenish(int received)
    {
        _receivedSinceUpdate += received;
        if (_receivedSinceUpdate >= ReceivedBeforeUpdate)
        {
            Span<byte> increment = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(increment, _receivedSinceUpdate);
            Write(Http2.Frame(Http2.WindowUpdate, 0, 0, increment));
            _receivedSinceUpdate = 0;
        }
    }

    private void End(GrpcStream? stream, string? failure)
    {
        if (stream is not null)
        {
            stream.End();
            _answered(stream, failure);
        }
    }

    private GrpcStream? Find(int id)
    {
        foreach (var stream in _streams)
        {
            if (stream.Id == id)
            {
                return stream;
            }
        }

        return null;
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _output.Length - _outputLength)
        {
            Flush();
        }

        if (bytes.Length > _output.Length)
        {
            _socket.SendAll(bytes);
            return;
        }

        bytes.CopyTo(_output.AsSpan(_outputLength));
        _outputLength += bytes.Length;
    }

    private void Flush()
    {
        _socket.SendAll(_output.AsSpan(0, _outputLength));
        _outputLength = 0;
    }
}
