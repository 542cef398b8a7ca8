namespace Cluster.Unit.Runtime.Grains;

public interface IPlacedGrain : IGrainWithStringKey
{
    Task Ping();
}
