namespace Cluster.Contracts.Registry;

[GenerateSerializer, Immutable, Alias("alias-change")]
public sealed record AliasChange
{
    /// <summary>The model to move to.</summary>
    [Id(0)]
    public required string Target { get; init; }

    /// <summary>Of a new alias; an existing one must have this owner. Null for any owner.</summary>
    [Id(1)]
    public string? Owner { get; init; }

    /// <summary>If given, the target is registered with it.</summary>
    [Id(2)]
    public RegisteredInfo? Info { get; init; }

    /// <summary>Whether a target that this change registers is removed when no alias refers to it any more.</summary>
    [Id(3)]
    public bool AutoDelete { get; init; }

    /// <summary>Whether the alias must be there already.</summary>
    [Id(4)]
    public bool UpdateOnly { get; init; }

    /// <summary>Whether the alias moves at once, ready target or not.</summary>
    [Id(5)]
    public bool Force { get; init; }

    /// <summary>The target that the alias must have now; the same as <see cref="Target"/>: or it must be absent. Null for any.</summary>
    [Id(6)]
    public string? Expected { get; init; }
}

/// <summary>The result of an <see cref="AliasChange"/>.</summary>
/// <param name="State">The alias now.</param>
/// <param name="ReplacedLoaded">Whether the alias left, or is about to leave, a model that is loaded.</param>
[GenerateSerializer, Immutable, Alias("alias-outcome")]
public sealed record AliasOutcome([property: Id(0)] AliasState State, [property: Id(1)] bool ReplacedLoaded);
