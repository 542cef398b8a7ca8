namespace Cluster.Unit.Runtime.Grains;

internal sealed class EchoGrain : Grain, IEchoGrain
{
    public Task<string> Echo(string text) => Task.FromResult(text);

    public ValueTask<int> Add(int left, int right, CancellationToken cancellationToken) => new(left + right);

    public Task DoNothing() => Task.CompletedTask;

    public ValueTask DoNothingValue() => default;

    public ValueTask<CountState> Same(CountState value) => new(value);

    public Task<string> Key() => Task.FromResult(this.GetPrimaryKeyString());

    public async Task<string> EchoLater(string text)
    {
        await Task.Yield();
        return text;
    }

    public async ValueTask<int> AddLater(int left, int right)
    {
        await Task.Yield();
        return left + right;
    }

    public Task Throw(string message) => throw new ArgumentException(message);

    public async Task ThrowLater(string message)
    {
        await Task.Yield();
        throw new ArgumentException(message);
    }
}
