using System.Collections.Immutable;

namespace Cluster.Contracts.Models;

/// <summary>How requests of several callers are run together, along the first dimension of every input and output.</summary>
[GenerateSerializer, Immutable, Alias("batching-settings")]
public sealed record BatchingSettings
{
    /// <summary>Each request runs by itself.</summary>
    public static BatchingSettings None { get; } = new();

    /// <summary>Rows of the largest run, 2 to 65,536; 1, the default, joins nothing. A request of more rows runs by itself.</summary>
    [Id(0)]
    public int MaxSize { get; init; } = 1;

    /// <summary>Numbers of rows that a run should have, ascending, each at most <see cref="MaxSize"/>. Default none: as many as wait.</summary>
    [Id(1)]
    public ImmutableArray<int> PreferredSizes { get; init; } = [];

    /// <summary>
    /// How long a request may wait for others while a slot is free, up to 1 s. Zero, the default, never waits: requests that arrive while the slots are taken form the
    /// next run.
    /// </summary>
    [Id(2)]
    public TimeSpan MaxDelay { get; init; }

    /// <summary>
    /// Dimensions in which requests of one run may differ, by the name of an input or output. Inputs are padded to the longest, outputs are cut back. Output dimensions
    /// with the graph's name for a padded one need no entry. Default none: only requests of equal shapes run together.
    /// </summary>
    [Id(3)]
    public ImmutableSortedDictionary<string, PaddedDimension> Padding { get; init; } = ImmutableSortedDictionary<string, PaddedDimension>.Empty;

    public bool IsOn => MaxSize > 1;
}

/// <summary>A dimension that requests of one run may have different sizes of.</summary>
/// <param name="Dimension">From 1: the first is the batch.</param>
/// <param name="Value">The value that pads an input.</param>
[GenerateSerializer, Immutable, Alias("padded-dimension")]
public readonly record struct PaddedDimension([property: Id(0)] int Dimension, [property: Id(1)] double Value);
