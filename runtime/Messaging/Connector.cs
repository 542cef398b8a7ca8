using System.Globalization;
using System.Net.Sockets;

namespace Cluster.Runtime;

/// <summary>Makes connections to silos.</summary>
internal sealed class Connector(MessagingContext context, CancellationToken stopping)
{
    /// <summary>
    /// A stream that has shaken hands, or why there is none. Neither: the silo is connecting to this process, and did. Throws nothing
    /// for the network's sake.
    /// </summary>
    /// <param name="adopted">Ends when the silo has connected to this process.</param>
    public async Task<(NetworkStream? Stream, ConnectFailure? Failure)> ConnectAsync(SiloAddress silo, Task adopted)
    {
        using var limit = new CancellationTokenSource(context.Options.ConnectTimeout, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        NetworkStream? stream = null;
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
            if (welcome.Result == HandshakeResult.Crossing)
            {
                await adopted.WaitAsync(either.Token).ConfigureAwait(false);
                return default;
            }

            return (null, new ConnectFailure(OutcomeOf(welcome.Result), $"{welcome.Result}: {welcome.Reason}"));
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
            return (null, new ConnectFailure(OutcomeOf(exception), reason));
        }
    }

    private static async Task<NetworkStream> OpenAsync(SiloAddress silo, CancellationToken cancellationToken)
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

    private static ProbeOutcome OutcomeOf(HandshakeResult result) =>
        result is HandshakeResult.OtherSilo or HandshakeResult.OtherCluster ? ProbeOutcome.Replaced : ProbeOutcome.Alive;

    private static ProbeOutcome OutcomeOf(Exception exception) => exception switch
    {
        // Whoever answers there is no silo.
        WireFormatException => ProbeOutcome.Replaced,
        OperationCanceledException => ProbeOutcome.TimedOut,
        SocketException { SocketErrorCode: not (SocketError.ConnectionRefused or SocketError.ConnectionReset) } => ProbeOutcome.TimedOut,
        _ => ProbeOutcome.Refused,
    };

    private Hello HelloTo(SiloAddress silo) => new(
        WireLimits.MinVersion, WireLimits.MaxVersion, context.Role, context.Runtime.Silo.ClusterId, context.Local, silo);
}
