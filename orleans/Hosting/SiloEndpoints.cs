using System.Net;
using System.Net.Sockets;
using Orleans.Configuration;

namespace Cluster.Runtime;

/// <summary>Orleans has silos and clients on ports of their own: silos on the advertised one, clients on the next one that is free.</summary>
internal static class SiloEndpoints
{
    public static void Configure(EndpointOptions orleans, ActorRuntimeOptions ours, MessagingOptions messaging)
    {
        var advertised = ours.AdvertisedEndpoint;
        var listen = messaging.ListenEndpoint ?? advertised;
        var gateway = NextFree(listen.Address, advertised.Port + 1);
        orleans.AdvertisedIPAddress = advertised.Address;
        orleans.SiloPort = advertised.Port;
        orleans.SiloListeningEndpoint = listen;
        orleans.GatewayPort = gateway;
        orleans.GatewayListeningEndpoint = new IPEndPoint(listen.Address, gateway);
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
