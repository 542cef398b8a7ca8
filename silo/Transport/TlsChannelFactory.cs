using System.Net.Security;
using System.Net.Sockets;

namespace Cluster.Silo.Transport;

/// <summary>
/// Frames in mutual TLS. A handshake is four steps:
/// <list type="number">
/// <item>The end that was connected to waits for a first byte: a look at its port, which brings none, costs no more than a socket.</item>
/// <item>Both ends shake hands, and each checks the other's certificate and role.</item>
/// <item>Each end sends one byte, the one that connected first. Neither learns otherwise that its certificate was taken, as either may end the handshake before the other looks.</item>
/// <item>Frames follow. Before that, no byte of a peer goes further than to TLS.</item>
/// </list>
/// </summary>
internal sealed class TlsChannelFactory(PeerTls tls, PeerRefusals refusals, PeerTlsLimits limits, TimeProvider time) : IFrameChannelFactory
{
    private static readonly byte[] Taken = [1];

    private readonly PendingHandshakes _pending = new(limits.Handshakes);

    /// <summary>Handshakes of peers that connected.</summary>
    internal int Pending => _pending.Count;

    public async ValueTask<IFrameChannel> OpenAsync(Socket socket, bool isServer, CancellationToken cancellationToken)
    {
        var peer = socket.RemoteEndPoint;
        using var place = isServer ? _pending.Enter(socket) : null;
        using var limit = new CancellationTokenSource(limits.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        PeerRefusal? refusal = null;
        try
        {
            if (isServer && !await HasWordAsync(socket, either.Token).ConfigureAwait(false))
            {
                throw new EndOfStreamException("the peer closed the connection without a word");
            }

            return await ShakeHandsAsync(socket, isServer, found => refusal = found, either.Token).ConfigureAwait(false);
        }
        catch (EndOfStreamException) when (isServer)
        {
            throw;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Anything that a peer does to the handshake ends this connection and nothing else.
            refusal ??= place is { MadeWay: true } ? new PeerRefusal(PeerFault.TooMany, "its handshake was the oldest of too many")
                : limit.IsCancellationRequested ? new PeerRefusal(PeerFault.Timeout, $"its handshake took longer than {limits.Timeout.TotalSeconds:0.#} s")
                : exception is PeerRefusalException known ? known.Refusal
                : new PeerRefusal(PeerFault.Handshake, $"it did not complete a TLS handshake, {exception.InnerException?.Message ?? exception.Message}");
            throw refusals.Refuse(peer, isServer, refusal, exception);
        }
    }

    /// <returns>False: the peer has closed the connection.</returns>
    private static async ValueTask<bool> HasWordAsync(Socket socket, CancellationToken cancellationToken)
    {
        try
        {
            await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            return socket.Available > 0;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            return false;
        }
    }

    private async ValueTask<IFrameChannel> ShakeHandsAsync(Socket socket, bool isServer, Action<PeerRefusal> refused, CancellationToken cancellationToken)
    {
        var cipher = new CipherStream(socket);
        var stream = new SslStream(cipher);
        try
        {
            if (isServer)
            {
                await stream.AuthenticateAsServerAsync(tls.ServerOptions(refused), cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await stream.AuthenticateAsClientAsync(tls.ClientOptions(refused), cancellationToken).ConfigureAwait(false);
            }

            await AgreeAsync(stream, isServer, cancellationToken).ConfigureAwait(false);
            cipher.ReadAhead();
            return new TlsChannel(socket, cipher, stream);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async ValueTask AgreeAsync(SslStream stream, bool isServer, CancellationToken cancellationToken)
    {
        var answer = new byte[1];
        try
        {
            if (!isServer)
            {
                await stream.WriteAsync(Taken, cancellationToken).ConfigureAwait(false);
            }

            var count = await stream.ReadAsync(answer, cancellationToken).ConfigureAwait(false);
            if (count != 1 || !answer.AsSpan().SequenceEqual(Taken))
            {
                throw new PeerRefusalException(null);
            }

            if (isServer)
            {
                await stream.WriteAsync(Taken, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (IOException exception) when (exception is not PeerRefusalException)
        {
            throw new PeerRefusalException(exception);
        }
    }

    /// <summary>The peer closed the connection after it had seen the certificate of this process.</summary>
    private sealed class PeerRefusalException(Exception? inner) : IOException("refused by the peer", inner)
    {
        public PeerRefusal Refusal { get; } = new(PeerFault.RefusedByPeer, "it refused this process, its log says why");
    }
}

/// <summary>What peers that connect may take before they are known.</summary>
internal sealed record PeerTlsLimits
{
    /// <summary>How long a handshake may take: far above what a busy machine needs.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Handshakes at once, about 25 MiB. More than a cluster has processes, all of which may connect in one moment.</summary>
    public int Handshakes { get; init; } = 256;
}
