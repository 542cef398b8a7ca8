using System.Diagnostics.CodeAnalysis;

namespace Cluster.Grains.Placement;

/// <summary>What living silos published of themselves. Reads take no lock and no network; safe from any thread.</summary>
public interface ISiloStates
{
    /// <summary>Every living silo that has published, in no order.</summary>
    IEnumerable<SiloState> All { get; }

    /// <summary>False: the silo is dead, unknown, or has not published yet.</summary>
    bool TryGet(SiloAddress silo, [NotNullWhen(true)] out SiloState? state);

    /// <summary>Replaces a silo's state.</summary>
    void Publish(SiloState state);

    /// <summary>Forgets a silo.</summary>
    void Remove(SiloAddress silo);

    /// <summary>Forgets the silos that are dead, for every process.</summary>
    void RemoveDead();
}
