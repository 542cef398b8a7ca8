using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
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

    private async ValueTask<FrameConnection> OpenAsync(Socket socket, CancellationToken cancellationToken)
    {
        socket.Apply(sockets.Value);
        Log.Accepted(logger, socket.RemoteEndPoint);
        var channel = await channels.OpenAsync(socket, isServer: true, cancellationToken).ConfigureAwait(false);
        return new FrameConnection(channel, socket.LocalEndPoint, socket.RemoteEndPoint, options, time, logger);
    }

    /// <summary>Accepts without end, so that a peer that takes its time over a handshake holds up no other; hands Orleans the connections that are open.</summary>
    private sealed class Listener : IConnectionListener
    {
        private readonly Socket _socket;
        private readonly FrameConnectionListenerFactory _factory;
        private readonly Channel<FrameConnection> _open = Channel.CreateUnbounded<FrameConnection>();
        private readonly CancellationTokenSource _stopping = new();

        public Listener(Socket socket, FrameConnectionListenerFactory factory)
        {
            _socket = socket;
            _factory = factory;
            EndPoint = socket.LocalEndPoint!;
            _ = AcceptAllAsync();
        }

        public EndPoint EndPoint { get; }

        /// <returns>Null when it listens no more.</returns>
        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                return await _open.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (ChannelClosedException exception) when (exception.InnerException is null)
            {
                return null;
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => DisposeAsync();

        public async ValueTask DisposeAsync()
        {
            _socket.Dispose();
            await _stopping.CancelAsync().ConfigureAwait(false);
            _open.Writer.TryComplete();
            while (_open.Reader.TryRead(out var connection))
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }
        }

        private async Task AcceptAllAsync()
        {
            while (!_stopping.IsCancellationRequested)
            {
                try
                {
                    _ = OpenAsync(await _socket.AcceptAsync(_stopping.Token).ConfigureAwait(false));
                }
                catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
                {
                    // The listener was disposed of.
                    break;
                }
                catch (SocketException exception)
                {
                    Log.NotAccepted(_factory.Logger, exception.Message);
                }
                catch (Exception exception)
                {
                    // For Orleans, which waits for a connection.
                    _open.Writer.TryComplete(exception);
                    return;
                }
            }

            _open.Writer.TryComplete();
        }

        private async Task OpenAsync(Socket accepted)
        {
            try
            {
                var connection = await _factory.OpenAsync(accepted, _stopping.Token).ConfigureAwait(false);
                if (!_open.Writer.TryWrite(connection))
                {
                    await connection.DisposeAsync().ConfigureAwait(false);
                }
            }
            catch (Exception exception)
            {
                // Any exception ends this connection and nothing else.
                accepted.Dispose();
                Log.NotAccepted(_factory.Logger, exception.Message);
            }
        }
    }

    private ILogger Logger => logger;
}
