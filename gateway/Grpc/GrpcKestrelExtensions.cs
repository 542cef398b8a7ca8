using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Cluster.Gateway.Grpc;

/// <summary>What gRPC asks of Kestrel.</summary>
public static class GrpcKestrelExtensions
{
    /// <summary>
    /// One stream's window: 2 MiB, a round trip of 1.6 ms at 10 Gbit/s. Smaller stalls large tensors on the network; larger lets one
    /// idle handler buffer more. On the loopback, 96 KiB to 4 MiB cost the same.
    /// </summary>
    public const int StreamWindow = 2 * 1024 * 1024;

    /// <summary>One connection's window: 8 MiB, the most that its unread requests may take in memory altogether.</summary>
    public const int ConnectionWindow = 8 * 1024 * 1024;

    /// <summary>The largest HTTP/2 frame taken: 256 KiB. Larger frames cost fewer headers but delay other streams of the connection.</summary>
    public const int FrameSize = 256 * 1024;

    /// <summary>
    /// Sets the HTTP/2 limits: windows, frame size, streams and keep-alive pings that find a dead client within a minute.
    /// HTTP/1 is untouched; limits of the request's body are lifted call by call, so that other routes keep theirs.
    /// </summary>
    /// <param name="streams">Calls in flight on one connection.</param>
    public static KestrelServerOptions ConfigureGrpcLimits(this KestrelServerOptions options, int streams)
    {
        var http2 = options.Limits.Http2;
        http2.InitialStreamWindowSize = StreamWindow;
        http2.InitialConnectionWindowSize = ConnectionWindow;
        http2.MaxFrameSize = FrameSize;
        http2.MaxStreamsPerConnection = streams;
        http2.KeepAlivePingDelay = TimeSpan.FromSeconds(40);
        http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        return options;
    }
}
