using System.Buffers.Binary;
using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cluster.Tests.Common;

namespace Cluster.Unit.Serving;

/// <summary>Sends one request over and over on one connection, and allocates nothing meanwhile: what is allocated is the server's.</summary>
internal abstract class QuietClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _received = new byte[64 << 10];
    private int _start;
    private int _end;

    protected QuietClient(IPEndPoint server)
    {
        _socket.ReceiveTimeout = (int)Wait.Limit.TotalMilliseconds;
        _socket.Connect(server);
    }

    /// <summary>Sends the request and reads its answer.</summary>
    /// <exception cref="InvalidDataException">The answer is not the one that is expected.</exception>
    public abstract void Ask();

    public void Dispose() => _socket.Dispose();

    protected void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    /// <summary>At least so many bytes of what has come and was not taken.</summary>
    protected ReadOnlySpan<byte> Peek(int count)
    {
        if (_start > 0 && _received.Length - _start < count)
        {
            _received.AsSpan(_start.._end).CopyTo(_received);
            (_start, _end) = (0, _end - _start);
        }

        while (_end - _start < count)
        {
            var received = _socket.Receive(_received.AsSpan(_end));
            _end += received > 0 ? received : throw new InvalidDataException("the server closed the connection");
        }

        return _received.AsSpan(_start.._end);
    }

    protected void Take(int count)
    {
        _start += count;
        if (_start == _end)
        {
            (_start, _end) = (0, 0);
        }
    }
}

/// <summary>By gRPC.</summary>
internal sealed class QuietGrpcClient : QuietClient
{
    private const int FrameHead = 9;
    private const int StreamPlace = 5;
    private static readonly byte[] SettingsTaken = Http2Frames.SettingsTaken();

    private readonly byte[] _request;
    private readonly int _data;
    private readonly byte[] _expected;
    private int _stream = -1;

    /// <param name="expected">The last bytes of the answer's message.</param>
    public QuietGrpcClient(IPEndPoint server, string path, byte[] message, byte[] expected)
        : base(server)
    {
        var call = Http2Frames.Call(1, path);
        _request = [.. call, .. Http2Frames.Data(1, GrpcFraming.Frame(message), endStream: true)];
        _data = call.Length;
        _expected = expected;
        Send([.. Http2Frames.Preface, .. Http2Frames.Settings(), .. Http2Frames.WindowUpdate(0, 1 << 30)]);
    }

    /// <inheritdoc/>
    public override void Ask()
    {
        _stream += 2;
        BinaryPrimitives.WriteInt32BigEndian(_request.AsSpan(StreamPlace), _stream);
        BinaryPrimitives.WriteInt32BigEndian(_request.AsSpan(_data + StreamPlace), _stream);
        Send(_request);
        var isRight = false;
        while (true)
        {
            var head = Peek(FrameHead);
            var (length, type, flags, stream) = ((head[0] << 16) | (head[1] << 8) | head[2], head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head[StreamPlace..]));
            var payload = Peek(FrameHead + length).Slice(FrameHead, length);
            switch (type)
            {
                case 0:
                    isRight = payload.EndsWith(_expected);
                    break;
                case 3 or 7:
                    throw new InvalidDataException("the server ended the call");
                case 4 when (flags & 1) == 0:
                    Send(SettingsTaken);
                    break;
                default:
                    break;
            }

            Take(FrameHead + length);
            if (type == 1 && stream == _stream && (flags & 1) != 0)
            {
                break;
            }
        }

        if (!isRight)
        {
            throw new InvalidDataException("the answer is not the one that is expected");
        }
    }
}

/// <summary>By REST.</summary>
internal sealed class QuietRestClient : QuietClient
{
    private readonly byte[] _request;
    private readonly byte[] _expected;

    /// <param name="expected">A part of the answer's body.</param>
    public QuietRestClient(IPEndPoint server, string path, string json, string expected)
        : base(server)
    {
        _request = Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {json.Length}\r\n\r\n{json}");
        _expected = Encoding.ASCII.GetBytes(expected);
    }

    private static ReadOnlySpan<byte> LengthName => "\r\nContent-Length: "u8;

    private static ReadOnlySpan<byte> HeadEnd => "\r\n\r\n"u8;

    /// <inheritdoc/>
    public override void Ask()
    {
        Send(_request);
        var count = 1;
        int head;
        while ((head = Peek(count).IndexOf(HeadEnd)) < 0)
        {
            count = Peek(count).Length + 1;
        }

        var answer = Peek(count);
        var at = answer[..head].IndexOf(LengthName);
        if (at < 0 || !answer.StartsWith("HTTP/1.1 200"u8) || !Utf8Parser.TryParse(answer[(at + LengthName.Length)..], out int length, out _))
        {
            throw new InvalidDataException(Encoding.UTF8.GetString(answer));
        }

        var all = head + HeadEnd.Length + length;
        var isRight = Peek(all)[..all].IndexOf(_expected) >= 0;
        Take(all);
        if (!isRight)
        {
            throw new InvalidDataException("the answer is not the one that is expected");
        }
    }
}
