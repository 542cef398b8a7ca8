using System.Net;
using System.Net.Sockets;

namespace Cluster.Bench.Clients;

/// <summary>A connected socket whose calls block, and fail rather than wait for ever.</summary>
internal static class BlockingSocket
{
    /// <summary>Long enough for the first request to load its model.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    public static Socket Connect(IPEndPoint server)
    {
        var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            SendTimeout = (int)Timeout.TotalMilliseconds,
            ReceiveTimeout = (int)Timeout.TotalMilliseconds,
        };
        socket.Connect(server);
        return socket;
    }

    /// <summary>As <see cref="Socket.Receive(Span{byte})"/>, but the other side's hanging up is an error.</summary>
    public static int ReceiveSome(this Socket socket, Span<byte> target)
    {
        var received = socket.Receive(target);
        return received > 0 ? received : throw new IOException("the server closed the connection");
    }

    public static void SendAll(this Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }
}
