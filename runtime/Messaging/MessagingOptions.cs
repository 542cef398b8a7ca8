using System.Net;

namespace Cluster.Runtime;

/// <summary>The settings of the connections between processes.</summary>
public sealed class MessagingOptions
{
    /// <summary>Where a silo listens. Null (default): its advertised end point.</summary>
    public IPEndPoint? ListenEndpoint { get; set; }

    /// <summary>How long a connection may take, handshake included. Default 2 s. Shorter gives up on slow networks, longer keeps callers of machines that are gone.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>After this silence a connection is asked for a sign of life. Default 1 s. Shorter costs frames on idle connections.</summary>
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// After this silence a connection is given up. Default 5 s; longer than the interval. Shorter takes a busy process for a hung one,
    /// longer keeps the callers of a hung one.
    /// </summary>
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long calls to an unreachable silo fail without another attempt to connect: this after the first failure, twice as long after
    /// each further one, up to <see cref="MaxBackOff"/>. Default 100 ms. Probes always try.
    /// </summary>
    public TimeSpan MinBackOff { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Default 5 s.</summary>
    public TimeSpan MaxBackOff { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Bytes that may wait to be sent on one connection. Beyond it, calls wait without being written, until their time-outs, and calls
    /// from the other end are refused. Default 128 MiB. More costs memory behind a slow network, less makes bursts wait.
    /// </summary>
    public long MaxQueuedBytes { get; set; } = 128L << 20;

    /// <summary>
    /// Payload bytes that calls from one connection may hold in this process until their grains have answered; further calls are
    /// refused. Default 1 GiB, at least <see cref="MaxMessageBytes"/>. More costs memory when grains are slow, less refuses bursts.
    /// </summary>
    public long MaxHeldBytes { get; set; } = 1L << 30;

    /// <summary>Payload bytes of one message, at most. Default 512 MiB. The same in all processes of a cluster.</summary>
    public long MaxMessageBytes { get; set; } = 512L << 20;

    /// <summary>How long a stopping process waits for the answers on its connections. Default 5 s.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);
}
