namespace Cluster.Runtime;

/// <summary>Which activation of each grain is the one. The first registration wins.</summary>
public interface IGrainDirectory
{
    /// <summary>Registers an activation unless there is one, and returns the one that is registered then.</summary>
    Task<GrainAddress?> Register(GrainAddress address);

    /// <summary>As <see cref="Register(GrainAddress)"/>, but replaces <paramref name="previousAddress"/> if that is registered.</summary>
    Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress);

    /// <summary>Removes the entry if it is this very activation.</summary>
    Task Unregister(GrainAddress address);

    /// <summary>The entry of a grain; null if it is active nowhere.</summary>
    Task<GrainAddress?> Lookup(GrainId grainId);

    /// <summary>Removes every entry of silos that are dead.</summary>
    Task UnregisterSilos(List<SiloAddress> siloAddresses);
}
