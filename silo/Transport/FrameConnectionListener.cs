using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Networking.Shared;

namespace Cluster.Silo.Transport;

/// <summary>Listens for other silos.</summary>
internal sealed class FrameConnectionListenerFactory(
    IFrameChannelFactory channels, TransportOptions options, IOptions<SocketConnectionOptions> sockets, TimeProvider time, ILogger<FrameConnection> logger)
    : IConnectionListenerFactory
{
    private const int Backlog = 512;

    /// <inheritdoc/>
    /// <exception cref="AddressInUseException">Another listens there.</exception>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            if (endpoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(endpoint);
            socket.Listen(Backlog);
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw exception.SocketErrorCode == SocketError.AddressAlreadyInUse ? new AddressInUseException(exception.Message, exception) : exception;
        }

        return ValueTask.FromResult<IConnectionListener>(new Listener(socket, this));
    }

    private FrameConnection Accept(Socket socket)
    {
        socket.Apply(sockets.Value);
        Log.Accepted(logger, socket.RemoteEndPoint);
        return new FrameConnection(channels.Open(socket, isServer: true), socket.LocalEndPoint, socket.RemoteEndPoint, options, time, logger);
    }

    private sealed class Listener(Socket socket, FrameConnectionListenerFactory factory) : IConnectionListener
    {
        public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

        /// <returns>Null when it listens no more.</returns>
        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                Socket? accepted = null;
                try
                {
                    accepted = await socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                    return factory.Accept(accepted);
                }
                catch (Exception exception) when (exception is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted } && accepted is null)
                {
                    return null;
                }
                catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
                {
                    accepted?.Dispose();
                    Log.NotAccepted(factory.Logger, exception.Message);
                }
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => DisposeAsync();

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private ILogger Logger => logger;
}
