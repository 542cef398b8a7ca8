namespace Cluster.Contracts.Serving;

/// <summary>Where a copy is in memory.</summary>
/// <param name="Copy">Its number.</param>
/// <param name="Silo">The silo that holds it, in the parsable form of its address.</param>
/// <param name="Epoch">Which load of the copy this is: greater than that of every load before.</param>
[GenerateSerializer, Immutable, Alias("copy-placement")]
public sealed record CopyPlacement([property: Id(0)] int Copy, [property: Id(1)] string Silo, [property: Id(2)] long Epoch);
