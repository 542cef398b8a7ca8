using Cluster.Contracts.Serving;

namespace Cluster.Grains.Registry;

/// <summary>The health of a cluster that is one process.</summary>
public sealed class LocalSiloHealth(ILocalSiloDetails local) : ISiloHealth
{
    /// <inheritdoc/>
    public event Action? Changed
    {
        add => _ = value;
        remove => _ = value;
    }

    /// <inheritdoc/>
    public bool IsAlone => true;

    /// <inheritdoc/>
    public bool IsStoreReachable => true;

    /// <inheritdoc/>
    public IEnumerable<SiloAddress> Silos => [local.SiloAddress];

    /// <inheritdoc/>
    public bool IsReachable(SiloAddress silo) => true;

    /// <inheritdoc/>
    public bool IsGone(SiloAddress silo) => false;
}
