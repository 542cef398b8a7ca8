using System.Net;
using System.Net.Sockets;

namespace Cluster.Silo.Clustering;

/// <summary>What the port of a silo answers to an attempt to connect.</summary>
internal enum PortAnswer
{
    /// <summary>A process listens. It may hang: the kernel accepts in its place.</summary>
    Accepts,

    /// <summary>The machine answers that no process listens.</summary>
    Refuses,

    /// <summary>No answer in time, or no way there: the machine may be gone, or the network cut.</summary>
    Silent,
}

/// <summary>Asks the port of a silo whether a process listens there.</summary>
internal delegate Task<PortAnswer> AskPort(IPEndPoint endpoint, CancellationToken cancellationToken);

internal static class SiloPort
{
    /// <summary>The kernel of the other machine answers, however busy the silo is: far above a round trip within a data center.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(300);

    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public static async Task<PortAnswer> AskAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        try
        {
            await socket.ConnectAsync(endpoint, limit.Token).ConfigureAwait(false);
            return PortAnswer.Accepts;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode == SocketError.ConnectionRefused ? PortAnswer.Refuses : PortAnswer.Silent;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return PortAnswer.Silent;
        }
    }
}
