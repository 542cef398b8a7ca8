namespace Cluster.Grains.Registry;

/// <summary>Brings back, at a start, what was registered before it.</summary>
public interface IRegistryRestorer
{
    /// <summary>Returns when gateways know every registered model and every alias. Nothing is loaded. Doing so twice does no harm.</summary>
    Task RestoreAsync(CancellationToken cancellationToken);
}
