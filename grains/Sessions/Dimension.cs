using Cluster.Contracts.Models;

namespace Cluster.Grains.Sessions;

/// <summary>One dimension of a graph's input or output.</summary>
/// <param name="Range">The sizes it may have.</param>
/// <param name="Symbol">The graph's name for it, by which dimensions that are equal are known; empty for none.</param>
internal readonly record struct Dimension(DimensionRange Range, string Symbol)
{
    public bool IsFixed => Range.Min == Range.Max;
}
