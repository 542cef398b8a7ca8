namespace Cluster.Unit.Runtime.Grains;

public interface IKeptGrain : IGrainWithStringKey
{
    Task Ping();
}
