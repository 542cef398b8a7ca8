namespace Cluster.Unit.Clustering;

/// <summary>A silo with an address that the test chose.</summary>
internal sealed class FixedSiloDetails(SiloAddress silo, string clusterId = "test") : ILocalSiloDetails
{
    public string Name => $"silo {silo.Endpoint.Port}";

    public string ClusterId => clusterId;

    public string DnsHostName => "localhost";

    public SiloAddress SiloAddress => silo;

    public SiloAddress GatewayAddress => silo;
}
