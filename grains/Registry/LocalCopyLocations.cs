using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;

namespace Cluster.Grains.Registry;

/// <summary>Every copy is on this silo: the cluster is one process.</summary>
public sealed class LocalCopyLocations(ILocalSiloDetails silo) : ICopyLocations
{
    /// <inheritdoc/>
    public string LocationOf(ModelCopyId copy) => silo.SiloAddress.ToString();
}
