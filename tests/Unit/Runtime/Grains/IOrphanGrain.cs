namespace Cluster.Unit.Runtime.Grains;

/// <summary>No class implements it.</summary>
public interface IOrphanGrain : IGrainWithStringKey
{
    Task Ping();
}
