using System.Net;
using System.Net.Sockets;
using Orleans.Configuration;

namespace Cluster.Runtime;

/// <summary>Orleans has silos and clients on ports of their own: silos on the advertised one, clients on the next one that is free.</summary>
internal static class SiloEndpoints
{
    /// <param name="alone">In a cluster of one: nobody connects, but Orleans listens all the same.</param>
    public static void Configure(EndpointOptions orleans, ActorRuntimeOptions ours, MessagingOptions messaging, bool alone)
    {
        var advertised = ours.AdvertisedEndpoint;
        var listen = alone ? new IPEndPoint(advertised.Address, AnyFree(advertised.Address)) : messaging.ListenEndpoint ?? advertised;
        orleans.AdvertisedIPAddress = advertised.Address;
        orleans.SiloPort = alone ? listen.Port : advertised.Port;
        orleans.SiloListeningEndpoint = listen;
        orleans.GatewayPort = alone ? 0 : NextFree(listen.Address, advertised.Port + 1);
        orleans.GatewayListeningEndpoint = alone ? null : new IPEndPoint(listen.Address, orleans.GatewayPort);
    }

    private static int AnyFree(IPAddress address)
    {
        using var listener = new TcpListener(address, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <exception cref="IOException">No port is free.</exception>
    private static int NextFree(IPAddress address, int first)
    {
        for (var port = first; port <= IPEndPoint.MaxPort; port++)
        {
            if (IsFree(address, port))
            {
                return port;
            }
        }

        throw new IOException($"no port after {first - 1} is free for the connections of gateways");
    }

    private static bool IsFree(IPAddress address, int port)
    {
        try
        {
            using var listener = new TcpListener(address, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
