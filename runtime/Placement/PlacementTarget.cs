namespace Cluster.Runtime;

/// <summary>The grain to be placed.</summary>
#pragma warning disable CA1815 // Nobody compares targets.
public readonly struct PlacementTarget(GrainId grainIdentity)
#pragma warning restore CA1815
{
    /// <summary>The grain.</summary>
    public GrainId GrainIdentity { get; } = grainIdentity;
}
