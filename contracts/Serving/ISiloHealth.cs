namespace Cluster.Contracts.Serving;

/// <summary>The part of the cluster that this process can reach now. Reads take no lock and no network; safe from any thread.</summary>
public interface ISiloHealth
{
    /// <summary>Something may have changed: a silo came, went, or became reachable or unreachable.</summary>
    event Action? Changed;

    /// <summary>Whether this process is the whole cluster, so that no other can answer in its place.</summary>
    bool IsAlone { get; }

    /// <summary>Whether Redis, which holds the shared state, can be asked. While it cannot, no model is loaded.</summary>
    bool IsStoreReachable { get; }

    /// <summary>The active silos that can hold models.</summary>
    IEnumerable<SiloAddress> Silos { get; }

    /// <summary>Whether a call to the silo has a chance.</summary>
    bool IsReachable(SiloAddress silo);

    /// <summary>Whether the silo is no longer a member, so that its replicas are to be loaded elsewhere.</summary>
    bool IsGone(SiloAddress silo);
}
