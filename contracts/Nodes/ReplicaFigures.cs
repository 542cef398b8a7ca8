using Cluster.Contracts.Models;

namespace Cluster.Contracts.Nodes;

/// <summary>Work and memory of a loaded replica, as its silo sees them.</summary>
[GenerateSerializer, Immutable, Alias("replica-figures")]
public sealed record ReplicaFigures
{
    [Id(0)]
    public required ModelReplicaId Replica { get; init; }

    /// <summary>Bytes that count for it: measured after its load, with the largest recent run.</summary>
    [Id(1)]
    public long Bytes { get; init; }

    /// <summary>Since its last use; zero while it is used, null before its first.</summary>
    [Id(2)]
    public TimeSpan? Idle { get; init; }

    /// <summary>Requests that wait for a slot.</summary>
    [Id(3)]
    public int Waiting { get; init; }

    /// <summary>Runs under way.</summary>
    [Id(4)]
    public int Running { get; init; }

    /// <summary>Runs that may be under way at once.</summary>
    [Id(5)]
    public int Concurrency { get; init; }

    /// <summary>Requests that were refused since its load: queue full, or a deadline that cannot be met.</summary>
    [Id(6)]
    public long Rejected { get; init; }

    /// <summary>The time that the next four figures cover: since an earlier look, and at least 10 s once it has been loaded for so long.</summary>
    [Id(7)]
    public TimeSpan Window { get; init; }

    /// <summary>Requests that began to run in <see cref="Window"/>.</summary>
    [Id(8)]
    public long Requests { get; init; }

    /// <summary>Half of the runs took no longer; null without a run.</summary>
    [Id(9)]
    public TimeSpan? RunMedian { get; init; }

    /// <summary>99 of 100 runs took no longer; null without a run.</summary>
    [Id(10)]
    public TimeSpan? RunP99 { get; init; }

    /// <summary>99 of 100 requests waited no longer for a slot; null without a request.</summary>
    [Id(11)]
    public TimeSpan? WaitP99 { get; init; }
}

/// <summary>The desired replicas of one version.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Version">At least 1.</param>
/// <param name="Declared">Bytes that count for a replica before it is measured, from its files.</param>
/// <param name="Wanted">Replicas that should be in memory now. 0 where its next request loads it, and where it does not serve.</param>
[GenerateSerializer, Immutable, Alias("version-figures")]
public sealed record VersionFigures(
    [property: Id(0)] string Model, [property: Id(1)] long Version, [property: Id(2)] long Declared, [property: Id(3)] int Wanted);
