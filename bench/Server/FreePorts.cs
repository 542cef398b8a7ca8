using System.Net;
using System.Net.Sockets;

namespace Cluster.Bench.Server;

/// <summary>Ports of 127.0.0.1 that nobody listens on at the moment.</summary>
internal static class FreePorts
{
    public static (int First, int Second) TakeTwo()
    {
        // Both are held at the same time, so they differ.
        using var first = new TcpListener(IPAddress.Loopback, 0);
        using var second = new TcpListener(IPAddress.Loopback, 0);
        first.Start();
        second.Start();
        return (((IPEndPoint)first.LocalEndpoint).Port, ((IPEndPoint)second.LocalEndpoint).Port);
    }
}
