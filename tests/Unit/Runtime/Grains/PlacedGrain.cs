namespace Cluster.Unit.Runtime.Grains;

[TestPlacement]
internal sealed class PlacedGrain : Grain, IPlacedGrain
{
    public Task Ping() => Task.CompletedTask;
}
