using System.Net;
using System.Net.Sockets;

namespace Cluster.Silo.Clustering;

/// <summary>Keeps ports that are chosen from becoming the local end of some connection before Orleans listens there.</summary>
internal sealed class HeldPorts : IDisposable
{
    private readonly List<Socket> _held = [];

    /// <summary>Holds a port; 0 for any that is free.</summary>
    /// <returns>The port; null if another socket has it.</returns>
    public int? TryHold(IPAddress address, int port)
    {
        // Bound and not listening: Orleans may still bind it to listen, and the system picks it for no other socket.
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(address, port));
            _held.Add(socket);
            return ((IPEndPoint)socket.LocalEndPoint!).Port;
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    public void Dispose() => _held.ForEach(static socket => socket.Dispose());
}
