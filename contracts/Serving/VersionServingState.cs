using System.Collections.Immutable;

namespace Cluster.Contracts.Serving;

/// <summary>What a gateway must know of one version to route to it and to report it.</summary>
[GenerateSerializer, Immutable, Alias("version-serving-state")]
public sealed record VersionServingState
{
    /// <summary>At least 1.</summary>
    [Id(0)]
    public required long Version { get; init; }

    /// <summary>A version that serves stays <see cref="ModelVersionState.Ready"/> while its replacement loads.</summary>
    [Id(1)]
    public required ModelVersionState State { get; init; }

    /// <summary>Why it is not ready, or why its newest content is not the one that serves; empty if there is nothing to say.</summary>
    [Id(2)]
    public string Reason { get; init; } = "";

    /// <summary>Whether <see cref="Reason"/> tells of a failed load, not of somebody's wish.</summary>
    [Id(3)]
    public bool Failed { get; init; }

    /// <summary>Numbers of the copies that take requests; those of a loading version make them wait.</summary>
    [Id(4)]
    public ImmutableArray<int> Copies { get; init; } = [];

    /// <summary>When state, copies or reason changed last; null if not known.</summary>
    [Id(7)]
    public DateTimeOffset? Since { get; init; }

    /// <summary>Whether it answers, but is not in memory now: its next request loads it, and waits for that.</summary>
    [Id(6)]
    public bool OnDemand { get; init; }

    /// <summary>Where copies of <see cref="Copies"/> are in memory; a copy without an entry is loaded by its next request.</summary>
    [Id(8)]
    public ImmutableArray<CopyPlacement> Placements { get; init; } = [];

    /// <summary>Silos, in the parsable form of their addresses, where this content failed to load lately: it is not placed there.</summary>
    [Id(9)]
    public ImmutableArray<string> FailedOn { get; init; } = [];

    /// <summary>The latest use of any copy, some seconds to minutes late; null if none is known.</summary>
    [Id(10)]
    public DateTimeOffset? LastUsed { get; init; }

    /// <summary>Numbers of the copies that are being loaded beside those that serve: further copies, or new content to replace them.</summary>
    [Id(5)]
    public ImmutableArray<int> Arriving { get; init; } = [];

    /// <summary>Whether <paramref name="copy"/> has a reason to be loaded.</summary>
    public bool Wants(int copy) => Copies.Contains(copy) || Arriving.Contains(copy);
}
