using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Cluster.Contracts.Buffers;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;

namespace Cluster.Unit.Transport;

/// <summary>A message as a test sends it: with a mark, and payloads of which each is beside it.</summary>
internal sealed record TestMessage(int Mark, int Filler, IReadOnlyList<PayloadBuffer> Payloads);

/// <summary>Both ends of a connection over loopback.</summary>
internal sealed class FrameEnds : IAsyncDisposable
{
    /// <summary>Message bytes before the places of the payloads: the lengths of header and body, the mark, the filler, the count.</summary>
    private const int FixedBytes = 20;

    private FrameEnds(FrameConnection left, Socket rightSocket, FrameConnection right, LogSink log)
    {
        Left = left;
        RightSocket = rightSocket;
        Right = right;
        Log = log;
    }

    public FrameConnection Left { get; }

    public FrameConnection Right { get; }

    public Socket RightSocket { get; }

    public LogSink Log { get; }

    public static async Task<(Socket, Socket)> ConnectAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var left = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var accept = listener.AcceptAsync();
        await left.ConnectAsync(listener.LocalEndPoint!);
        return (left, await accept);
    }

    /// <param name="open">Makes a channel of each end's socket, the second that of the end that was connected to; null for plain ones.</param>
    public static async Task<FrameEnds> OpenAsync(TransportOptions? options = null, TimeProvider? time = null, Func<Socket, bool, Task<IFrameChannel>>? open = null)
    {
        var (left, right) = await ConnectAsync();
        var log = new LogSink();
        options ??= new TransportOptions();
        open ??= static (socket, _) => Task.FromResult<IFrameChannel>(new SocketChannel(socket));
        var channels = await Task.WhenAll(open(left, false), open(right, true));
        FrameConnection Connection(Socket socket, IFrameChannel channel) =>
            new(channel, socket.LocalEndPoint, socket.RemoteEndPoint, options, time ?? TimeProvider.System, log.CreateLogger("transport"));
        return new FrameEnds(Connection(left, channels[0]), right, Connection(right, channels[1]), log);
    }

    /// <summary>Writes as Orleans does: one message after the other between memory that is asked for and advanced over, then a flush.</summary>
    public static ValueTask<FlushResult> SendAsync(PipeWriter output, params IReadOnlyList<TestMessage> messages)
    {
        foreach (var message in messages)
        {
            Write(output, message);
            output.Advance(Length(message));
        }

        return output.FlushAsync();
    }

    /// <summary>Serializes without completing.</summary>
    public static void Write(PipeWriter output, TestMessage message)
    {
        var target = output.GetSpan(Length(message));
        BinaryPrimitives.WriteInt32LittleEndian(target, 4);
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], Length(message) - 12);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], message.Mark);
        BinaryPrimitives.WriteInt32LittleEndian(target[12..], message.Filler);
        BinaryPrimitives.WriteInt32LittleEndian(target[16..], message.Payloads.Count);
        target = target[FixedBytes..];
        foreach (var payload in message.Payloads)
        {
            var outgoing = OutgoingPayloads.Current!;
            BinaryPrimitives.WriteUInt32LittleEndian(target, outgoing.Flush);
            payload.Retain();
            BinaryPrimitives.WriteInt32LittleEndian(target[4..], outgoing.Add(payload));
            BinaryPrimitives.WriteInt32LittleEndian(target[8..], payload.Length);
            target = target[12..];
        }

        target[..message.Filler].Fill((byte)message.Mark);
    }

    /// <summary>Reads as Orleans does, until so many messages have come; null where the connection ended first.</summary>
    public static async Task<List<TestMessage>?> ReceiveAsync(PipeReader input, int count)
    {
        var messages = new List<TestMessage>();
        while (messages.Count < count)
        {
            var result = await input.ReadAsync();
            if (result.IsCompleted || result.IsCanceled)
            {
                return null;
            }

            messages.AddRange(Read(result.Buffer));
            input.AdvanceTo(result.Buffer.End);
        }

        return messages;
    }

    /// <summary>Bytes of a message without its payloads.</summary>
    public static int Length(TestMessage message) => FixedBytes + (12 * message.Payloads.Count) + message.Filler;

    public async ValueTask DisposeAsync()
    {
        await Left.DisposeAsync();
        await Right.DisposeAsync();
    }

    private static List<TestMessage> Read(ReadOnlySequence<byte> buffer)
    {
        var bytes = buffer.ToArray().AsSpan();
        var messages = new List<TestMessage>();
        while (bytes.Length > 0)
        {
            var message = bytes[..(8 + BinaryPrimitives.ReadInt32LittleEndian(bytes) + BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]))];
            bytes = bytes[message.Length..];
            var payloads = new List<PayloadBuffer>();
            for (var i = 0; i < BinaryPrimitives.ReadInt32LittleEndian(message[16..]); i++)
            {
                var index = message[(FixedBytes + (12 * i))..];
                payloads.Add(IncomingPayloads.Current!.Take(
                    BinaryPrimitives.ReadUInt32LittleEndian(index), BinaryPrimitives.ReadInt32LittleEndian(index[4..]), BinaryPrimitives.ReadInt32LittleEndian(index[8..])));
            }

            messages.Add(new TestMessage(BinaryPrimitives.ReadInt32LittleEndian(message[8..]), BinaryPrimitives.ReadInt32LittleEndian(message[12..]), payloads));
        }

        return messages;
    }
}
