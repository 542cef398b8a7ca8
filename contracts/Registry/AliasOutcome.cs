namespace Cluster.Contracts.Registry;

/// <summary>What an <see cref="AliasChange"/> came to.</summary>
/// <param name="State">The alias now.</param>
/// <param name="ReplacedLoaded">Whether the alias left, or is about to leave, a model that is loaded.</param>
[GenerateSerializer, Immutable, Alias("alias-outcome")]
public sealed record AliasOutcome([property: Id(0)] AliasState State, [property: Id(1)] bool ReplacedLoaded);
