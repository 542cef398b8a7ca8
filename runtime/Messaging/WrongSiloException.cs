namespace Cluster.Runtime;

/// <summary>Ends a call that reached a silo which does not have the grain: the caller's process sends it on, and nobody else sees this.</summary>
#pragma warning disable CA1032, CA1064 // Never thrown, so neither constructed nor caught as others are.
internal sealed class WrongSiloException(GrainAddress address) : Exception($"{address.GrainId} is on {address.SiloAddress}")
#pragma warning restore CA1032, CA1064
{
    /// <summary>Where the grain is; without activation, where it should become active.</summary>
    public GrainAddress Address { get; } = address;
}
