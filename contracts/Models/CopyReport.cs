namespace Cluster.Contracts.Models;

/// <summary>What a copy tells its model when it was loaded, and when it goes.</summary>
[GenerateSerializer, Immutable, Alias("copy-report")]
public sealed record CopyReport
{
    [Id(0)]
    public required ModelCopyId Copy { get; init; }

    /// <summary>Which load of the copy this is about: greater than that of every load before. A report of an older load is out of date.</summary>
    [Id(1)]
    public required long Epoch { get; init; }

    /// <summary>Whether it is in memory from now on, or not any more.</summary>
    [Id(2)]
    public required bool InMemory { get; init; }

    /// <summary>What it was loaded from.</summary>
    [Id(3)]
    public required string Revision { get; init; }

    /// <inheritdoc cref="Revision"/>
    [Id(4)]
    public required string SettingsRevision { get; init; }

    [Id(5)]
    public required ModelDescription Description { get; init; }

    /// <summary>What it did in this load; null while it goes on.</summary>
    [Id(6)]
    public CopyStatistics? Statistics { get; init; }
}
