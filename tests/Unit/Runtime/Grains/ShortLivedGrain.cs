namespace Cluster.Unit.Runtime.Grains;

[CollectionAgeLimit(Minutes = 2)]
internal sealed class ShortLivedGrain : Grain, IShortLivedGrain
{
    public Task Ping() => Task.CompletedTask;
}
