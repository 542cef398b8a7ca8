namespace Cluster.Runtime;

/// <summary>What this process is in the cluster.</summary>
public interface ILocalSiloDetails
{
    /// <summary>The silo's name, for people.</summary>
    string Name { get; }

    /// <summary>Silos with another cluster identity are strangers.</summary>
    string ClusterId { get; }

    /// <summary>The machine's name.</summary>
    string DnsHostName { get; }

    /// <summary>The silo's identity.</summary>
    SiloAddress SiloAddress { get; }

    /// <summary>Where clients outside the cluster connect; here the same as <see cref="SiloAddress"/>.</summary>
    SiloAddress GatewayAddress { get; }
}
