using Cluster.Contracts.Models;

namespace Cluster.Gateway.Routing;

/// <summary>One copy of a version that takes requests.</summary>
/// <param name="number">Its number.</param>
/// <param name="grain">To call it by.</param>
/// <param name="silo">Where it is in memory; null if that is not known, or nowhere.</param>
/// <param name="load">What this gateway has on its way to it; the same object for as long as the copy is in the route.</param>
internal sealed class CopyRoute(int number, IModelVersionGrain grain, SiloAddress? silo, CopyLoad load)
{
    public int Number => number;

    public IModelVersionGrain Grain => grain;

    public SiloAddress? Silo => silo;

    public CopyLoad Load => load;
}
