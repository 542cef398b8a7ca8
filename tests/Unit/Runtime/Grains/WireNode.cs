namespace Cluster.Unit.Runtime.Grains;

/// <summary>A positional record that contains itself.</summary>
[GenerateSerializer, Alias("test-node")]
public sealed record WireNode([property: Id(0)] string Name, [property: Id(1)] WireNode? Next = null);
