using System.Collections.Immutable;

namespace Cluster.Contracts.Nodes;

/// <summary>The silos that can hold models, as this process knows them. Reads take no network; safe from any thread.</summary>
public interface IKnownSilos
{
    /// <summary>Every one that is a member, dead ones for a while too, in the order of their addresses; without what a silo tells only when it is asked.</summary>
    ImmutableArray<NodeDescription> All { get; }
}
