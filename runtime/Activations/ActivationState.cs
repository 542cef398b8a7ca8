namespace Cluster.Runtime;

/// <summary>Where an activation is in its life; it only moves forward.</summary>
internal enum ActivationState
{
    Activating,
    Valid,
    Deactivating,
    Ended,
}
