namespace Cluster.Unit.Runtime.Grains;

public interface IStateGrain : IGrainWithStringKey
{
    Task<int> Get();

    Task Set(int value, bool write);

    Task<string> SetOther(string value);

    Task Clear();

    Task<bool> Exists();

    Task Deactivate();
}
