using System.Net;
using System.Net.Sockets;

namespace Cluster.Tests.Common;

/// <summary>Ports of 127.0.0.1 on which nothing listens at the moment.</summary>
public static class FreePort
{
    public static int Take() => Take(1)[0];

    /// <summary>Different ones: all are held at the same time.</summary>
    public static IReadOnlyList<int> Take(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(static _ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(static listener => listener.Start());
        int[] ports = [.. listeners.Select(static listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        listeners.ForEach(static listener => listener.Dispose());
        return ports;
    }
}
