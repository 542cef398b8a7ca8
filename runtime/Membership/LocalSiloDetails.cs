using System.Globalization;
using System.Net;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>This silo, from the options.</summary>
internal sealed class LocalSiloDetails : ILocalSiloDetails
{
    // Generations are seconds since then, so that they fit 32 bits and grow from run to run.
    private static readonly DateTimeOffset Epoch = new(2022, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public LocalSiloDetails(IOptions<ActorRuntimeOptions> options, TimeProvider time)
    {
        var generation = (int)(time.GetUtcNow() - Epoch).TotalSeconds;
        SiloAddress = SiloAddress.New(options.Value.AdvertisedEndpoint, generation);
        ClusterId = options.Value.ClusterId;
        Name = options.Value.SiloName ?? string.Create(CultureInfo.InvariantCulture, $"{DnsHostName}:{options.Value.AdvertisedEndpoint.Port}");
    }

    public string Name { get; }

    public string ClusterId { get; }

    public string DnsHostName { get; } = Dns.GetHostName();

    public SiloAddress SiloAddress { get; }

    public SiloAddress GatewayAddress => SiloAddress;
}
