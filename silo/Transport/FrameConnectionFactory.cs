using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Networking.Shared;

namespace Cluster.Silo.Transport;

/// <summary>Connects to other silos.</summary>
internal sealed class FrameConnectionFactory(
    IFrameChannelFactory channels, TransportOptions options, IOptions<SocketConnectionOptions> sockets, TimeProvider time, ILogger<FrameConnection> logger)
    : IConnectionFactory
{
    /// <inheritdoc/>
    /// <exception cref="SocketException">There is no connection.</exception>
    /// <exception cref="IOException">The process there is not one of this cluster.</exception>
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Apply(sockets.Value);
            await socket.ConnectAsync(endpoint, cancellationToken).ConfigureAwait(false);
            var channel = await channels.OpenAsync(socket, isServer: false, cancellationToken).ConfigureAwait(false);
            return new FrameConnection(channel, socket.LocalEndPoint, socket.RemoteEndPoint, options, time, logger);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

internal static class SocketSettings
{
    /// <summary>
    /// What the system holds of a connection is in front of every later message. Linux would let it grow to 32 MiB, a second of it while a large tensor
    /// is received into new memory. This is twice what is on its way on a line of 10 Gb/s within a building.
    /// </summary>
    private const int ReceiveBytes = 1 << 20;

    private const int SendBytes = 512 << 10;

    public static void Apply(this Socket socket, SocketConnectionOptions options)
    {
        socket.NoDelay = options.NoDelay;
        socket.ReceiveBufferSize = ReceiveBytes;
        socket.SendBufferSize = SendBytes;
        if (options.KeepAlive)
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, options.KeepAliveTimeSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, options.KeepAliveIntervalSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, options.KeepAliveRetryCount);
        }
    }

    /// <summary>Shuts a socket down that the other side, or another thread, may have closed before.</summary>
    public static void TryShutdown(this Socket socket, SocketShutdown how)
    {
        try
        {
            socket.Shutdown(how);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The other side was first.
        }
    }
}
