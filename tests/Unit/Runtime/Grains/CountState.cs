namespace Cluster.Unit.Runtime.Grains;

[GenerateSerializer]
public sealed class CountState
{
    [Id(0)]
    public int Value { get; set; }
}
