namespace Cluster.Unit.Runtime.Grains;

internal sealed class RelayGrain : Grain, IRelayGrain
{
    public static readonly AsyncLocal<string?> Local = new();

    public async Task<string> Relay(string key)
    {
        var mine = SynchronizationContext.Current;
        var inline = await GrainFactory.GetGrain<IEchoGrain>(key).Key();
        if (!ReferenceEquals(mine, SynchronizationContext.Current))
        {
            throw new InvalidOperationException("left the activation after an inline call");
        }

        var later = await GrainFactory.GetGrain<IEchoGrain>(key).EchoLater(key);
        if (!ReferenceEquals(mine, SynchronizationContext.Current))
        {
            throw new InvalidOperationException("left the activation after a queued call");
        }

        return $"{inline}>{later}";
    }

    public Task<int> Depth(int remaining) => remaining == 0
        ? Task.FromResult(0)
        : DepthCore(remaining);

    public Task<string?> SwapLocal(string value)
    {
        var before = Local.Value;
        Local.Value = value;
        return Task.FromResult(before);
    }

    private async Task<int> DepthCore(int remaining) =>
        1 + await GrainFactory.GetGrain<IRelayGrain>($"{remaining - 1}").Depth(remaining - 1);
}
