namespace Cluster.Unit.Runtime.Grains;

public interface IStressGrain : IGrainWithStringKey
{
    Task<int> Synchronous(int value);

    ValueTask<int> Later(int value, CancellationToken cancellationToken);

    Task<int> AndDeactivate(int value);

    [AlwaysInterleave]
    Task<int> Interleaved(int value);

    Task<int> CallOther(string key, int value);
}
