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

    /// <summary>The copy that loads new content beside those that serve, or null.</summary>
    [Id(5)]
    public int? Replacement { get; init; }

    /// <summary>When state, copies or reason changed last; null if not known.</summary>
    [Id(7)]
    public DateTimeOffset? Since { get; init; }

    /// <summary>Whether it answers, but is not in memory now: its next request loads it, and waits for that.</summary>
    [Id(6)]
    public bool OnDemand { get; init; }

    /// <summary>Whether <paramref name="copy"/> has a reason to be loaded.</summary>
    public bool Wants(int copy) => Copies.Contains(copy) || Replacement == copy;
}
