namespace Cluster.Unit.Runtime.Grains;

[AttributeUsage(AttributeTargets.Class)]
internal sealed class TestPlacementAttribute() : PlacementAttribute(new TestPlacement());
