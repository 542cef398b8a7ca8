using System.Net;
using System.Net.Sockets;

namespace Cluster.Runtime;

/// <summary>Takes connections on the silo's port.</summary>
internal sealed class SiloListener(PeerConnections connections) : IDisposable
{
    private const int Backlog = 512;

    private readonly CancellationTokenSource _stopping = new();
    private readonly Acceptor _acceptor = new(connections.Context, connections);
    private Socket? _socket;
    private Task _accepting = Task.CompletedTask;

    private MessagingContext Context => connections.Context;

    /// <exception cref="SocketException">The end point cannot be had.</exception>
    public void Start(IPEndPoint endpoint)
    {
        _socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _socket.Bind(endpoint);
        _socket.Listen(Backlog);
        Log.Listening(Context.Logger, _socket.LocalEndPoint);
        _accepting = AcceptAsync(_socket);
    }

    /// <summary>Takes no more connections.</summary>
    public async Task StopAsync()
    {
        _acceptor.IsStopping = true;
        await _stopping.CancelAsync().ConfigureAwait(false);
        _socket?.Dispose();
        await _accepting.ConfigureAwait(false);
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var socket = await listener.AcceptAsync(_stopping.Token).ConfigureAwait(false);
                socket.NoDelay = true;
                _ = WelcomeAsync(socket);
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                // Whoever it was went away before it was accepted.
                continue;
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                if (!_stopping.IsCancellationRequested)
                {
                    Context.Metrics.Failed();
                    Log.ListenerFailed(Context.Logger, exception);
                }

                return;
            }
        }
    }

    private async Task WelcomeAsync(Socket socket)
    {
        var from = socket.RemoteEndPoint;
        var stream = new NetworkStream(socket, ownsSocket: true);
        string reason;
        try
        {
            (var hello, reason) = await _acceptor.AcceptAsync(stream, _stopping.Token).ConfigureAwait(false);
            if (hello is not null)
            {
                connections.Accept(stream, hello);
                return;
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or WireFormatException)
        {
            reason = exception is OperationCanceledException ? "no handshake in time" : exception.Message;
        }

        await stream.DisposeAsync().ConfigureAwait(false);
        Context.Metrics.Refused();
        Log.RefusedConnection(Context.Logger, from, reason);
    }
}
