namespace Cluster.Unit.Runtime.Grains;

internal sealed class TestPlacement : PlacementStrategy
{
}
