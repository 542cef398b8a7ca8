namespace Cluster.Unit.Runtime.Grains;

public interface IShortLivedGrain : IGrainWithStringKey
{
    Task Ping();
}
