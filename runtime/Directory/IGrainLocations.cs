namespace Cluster.Runtime;

/// <summary>
/// What this process knows of where grains are, without asking anybody: for callers that choose between grains by their silos. Cheap
/// enough for every request; used concurrently.
/// </summary>
public interface IGrainLocations
{
    /// <summary>The silo that a call of the grain would go to now; null: that would have to be looked up, or chosen.</summary>
    SiloAddress? TryGetKnown(GrainId grainId);

    /// <summary>
    /// False: a call to that silo would fail at once, because it is dead, is stopping, or could not be reached a moment ago. True says
    /// only that it would be tried.
    /// </summary>
    bool IsReachable(SiloAddress silo);
}
