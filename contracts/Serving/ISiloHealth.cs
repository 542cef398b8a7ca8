namespace Cluster.Contracts.Serving;

/// <summary>What this process can reach of the cluster now. Reads take no lock and no network; safe from any thread.</summary>
public interface ISiloHealth
{
    /// <summary>Something may have changed: a silo came, went, or became reachable or unreachable.</summary>
    event Action? Changed;

    /// <summary>Whether this process is the whole cluster, so that no other can answer in its place.</summary>
    bool IsAlone { get; }

    /// <summary>Whether what the cluster knows in common can be asked for. While it cannot, nothing is loaded.</summary>
    bool IsStoreReachable { get; }

    /// <summary>The active silos that can hold models.</summary>
    IEnumerable<SiloAddress> Silos { get; }

    /// <summary>Whether a call to the silo has a chance.</summary>
    bool IsReachable(SiloAddress silo);

    /// <summary>Whether the silo is no member any more: what it held is to be loaded elsewhere.</summary>
    bool IsGone(SiloAddress silo);
}
