namespace Cluster.Unit.Runtime.Grains;

public interface IRelayGrain : IGrainWithStringKey
{
    /// <summary>Asks another grain for its key, and tells it with the context in which the answer arrived.</summary>
    Task<string> Relay(string key);

    Task<int> Depth(int remaining);

    Task<string?> SwapLocal(string value);
}
