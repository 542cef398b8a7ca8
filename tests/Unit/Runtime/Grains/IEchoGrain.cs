namespace Cluster.Unit.Runtime.Grains;

public interface IEchoGrain : IGrainWithStringKey
{
    Task<string> Echo(string text);

    ValueTask<int> Add(int left, int right, CancellationToken cancellationToken = default);

    Task DoNothing();

    ValueTask DoNothingValue();

    ValueTask<CountState> Same(CountState value);

    Task<string> Key();

    Task<string> EchoLater(string text);

    ValueTask<int> AddLater(int left, int right);

    Task Throw(string message);

    Task ThrowLater(string message);
}
