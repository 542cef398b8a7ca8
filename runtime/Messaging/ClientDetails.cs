using System.Net;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>A process that calls grains and hosts none. Its address has port 0: nobody connects to it.</summary>
internal sealed class ClientDetails : ILocalSiloDetails
{
    public ClientDetails(IOptions<ActorRuntimeOptions> options)
    {
        ClusterId = options.Value.ClusterId;
        Name = options.Value.SiloName ?? DnsHostName;
        SiloAddress = SiloAddress.New(options.Value.AdvertisedEndpoint.Address, 0, Environment.ProcessId);
    }

    public string Name { get; }

    public string ClusterId { get; }

    public string DnsHostName { get; } = Dns.GetHostName();

    public SiloAddress SiloAddress { get; }

    public SiloAddress GatewayAddress => SiloAddress;
}
