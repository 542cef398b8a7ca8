namespace Cluster.Grains.Placement;

/// <summary>This process's replica of what the silos publish of themselves. Safe from any thread.</summary>
public interface ISiloStates
{
    /// <summary>The latest known state of each silo, of silos that are gone too for a while; in no order.</summary>
    IEnumerable<SiloState> All { get; }

    /// <summary>Replaces the state of its silo.</summary>
    void Publish(SiloState state);
}
