using System.Globalization;
using System.Net.Sockets;

namespace Cluster.Runtime;

/// <summary>Makes connections to silos.</summary>
internal sealed class Connector(MessagingContext context)
{
    /// <summary>A stream that has shaken hands, or why there is none. Throws nothing for the network's sake.</summary>
    public async Task<(Stream? Stream, ConnectFailure? Failure)> ConnectAsync(SiloAddress silo, CancellationToken stopping)
    {
        using var limit = new CancellationTokenSource(context.Options.ConnectTimeout, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        Stream? stream = null;
        try
        {
            stream = await OpenAsync(silo, either.Token).ConfigureAwait(false);
            await Handshake.WriteAsync(stream, HelloTo(silo), either.Token).ConfigureAwait(false);
            var welcome = await Handshake.ReadWelcomeAsync(stream, either.Token).ConfigureAwait(false);
            if (welcome is { Result: HandshakeResult.Accepted, Version: >= WireLimits.MinVersion and <= WireLimits.MaxVersion })
            {
                return (stream, null);
            }

            await stream.DisposeAsync().ConfigureAwait(false);
            return (null, new ConnectFailure(ConnectionLossKind.Refused, $"{welcome.Result}: {welcome.Reason}"));
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or WireFormatException)
        {
            if (stream is not null)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            var reason = limit.IsCancellationRequested
                ? string.Create(CultureInfo.InvariantCulture, $"no connection within {context.Options.ConnectTimeout.TotalSeconds:0.###} s")
                : stopping.IsCancellationRequested ? "this process stops" : exception.Message;
            return (null, new ConnectFailure(exception is WireFormatException ? ConnectionLossKind.Refused : ConnectionLossKind.Unreachable, reason));
        }
    }

    private static async Task<Stream> OpenAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        var socket = new Socket(silo.Endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(silo.Endpoint, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private Hello HelloTo(SiloAddress silo) => new(
        WireLimits.MinVersion, WireLimits.MaxVersion, context.Role, context.Runtime.Silo.ClusterId, context.Local, silo);
}
