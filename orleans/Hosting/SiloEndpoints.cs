using System.Net;
using Orleans.Configuration;

namespace Cluster.Runtime;

/// <summary>Orleans has silos and clients on ports of their own: silos on the advertised one, clients on the next one that is free.</summary>
internal sealed class SiloEndpoints : IDisposable
{
    private readonly HeldPorts _held = new();
    private readonly IPEndPoint _advertised;
    private readonly IPEndPoint _listen;
    private readonly int _gatewayPort;

    /// <param name="alone">In a cluster of one: nobody connects, but Orleans listens all the same.</param>
    /// <exception cref="IOException">No port is free.</exception>
    public SiloEndpoints(ActorRuntimeOptions options, MessagingOptions messaging, bool alone)
    {
        _advertised = options.AdvertisedEndpoint;
        _listen = messaging.ListenEndpoint ?? _advertised;
        if (alone)
        {
            _advertised = new IPEndPoint(_advertised.Address, _held.TryHold(_advertised.Address, 0) ?? _advertised.Port);
            _listen = _advertised;
            return;
        }

        _held.TryHold(_listen.Address, _listen.Port);
        for (var port = _advertised.Port + 1; _gatewayPort == 0 && port <= IPEndPoint.MaxPort; port++)
        {
            _gatewayPort = _held.TryHold(_listen.Address, port) ?? 0;
        }

        if (_gatewayPort == 0)
        {
            throw new IOException($"no port after {_advertised.Port} is free for the connections of gateways");
        }
    }

    public void Configure(EndpointOptions orleans)
    {
        orleans.AdvertisedIPAddress = _advertised.Address;
        orleans.SiloPort = _advertised.Port;
        orleans.SiloListeningEndpoint = _listen;
        orleans.GatewayPort = _gatewayPort;
        orleans.GatewayListeningEndpoint = _gatewayPort == 0 ? null : new IPEndPoint(_listen.Address, _gatewayPort);
    }

    public void Dispose() => _held.Dispose();
}
