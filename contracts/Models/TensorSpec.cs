using System.Collections.Immutable;
using Cluster.Contracts.Wire;

namespace Cluster.Contracts.Models;

/// <summary>An input or output as the loaded graph declares it.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Datatype">Never <see cref="Datatype.Unknown"/>.</param>
/// <param name="Shape">Dimensions, outermost first; −1 where each request chooses. Empty for a scalar.</param>
/// <param name="Optional">An input that the graph has a default for.</param>
[GenerateSerializer, Immutable, Alias("tensor-spec")]
public sealed record TensorSpec(
    [property: Id(0)] string Name,
    [property: Id(1)] Datatype Datatype,
    [property: Id(2)] ImmutableArray<long> Shape,
    [property: Id(3)] bool Optional = false);
