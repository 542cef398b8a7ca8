namespace Cluster.Unit.Runtime.Grains;

[KeepAlive]
internal sealed class KeptGrain : Grain, IKeptGrain
{
    public Task Ping() => Task.CompletedTask;
}
