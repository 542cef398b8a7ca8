using System.Net;
using System.Net.Sockets;
using Cluster.Tests.Common;

namespace Cluster.Unit.Runtime.Messaging;

/// <summary>A listener that speaks the protocol only as far as the test does.</summary>
internal sealed class FakeSilo : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public FakeSilo()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _socket.Listen();
        Address = SiloAddress.New((IPEndPoint)_socket.LocalEndPoint!, 1);
    }

    public SiloAddress Address { get; }

    /// <summary>Connects to a silo and says hello.</summary>
    public static async Task<(NetworkStream Stream, Welcome Welcome)> ConnectAsync(IPEndPoint endpoint, Hello hello)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endpoint).Soon();
        var stream = new NetworkStream(socket, ownsSocket: true);
        await Handshake.WriteAsync(stream, hello, default).Soon();
        return (stream, await Handshake.ReadWelcomeAsync(stream, default).Soon());
    }

    /// <summary>Takes the next connection and shakes hands.</summary>
    public async Task<NetworkStream> AcceptAsync()
    {
        var stream = new NetworkStream(await _socket.AcceptAsync().Soon(), ownsSocket: true);
        await Handshake.ReadHelloAsync(stream, default).Soon();
        await Handshake.WriteAsync(stream, new Welcome(HandshakeResult.Accepted, WireLimits.MaxVersion, ""), default).Soon();
        return stream;
    }

    public void Dispose() => _socket.Dispose();
}
