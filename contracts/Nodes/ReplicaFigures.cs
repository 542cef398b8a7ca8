using Cluster.Contracts.Models;

namespace Cluster.Contracts.Nodes;

/// <summary>What a loaded replica does and takes, as its silo sees it.</summary>
[GenerateSerializer, Immutable, Alias("replica-figures")]
public sealed record ReplicaFigures
{
    [Id(0)]
    public required ModelReplicaId Replica { get; init; }

    /// <summary>Bytes that it is reckoned with: measured after its load, with the largest run of late.</summary>
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

    /// <summary>What the next four are about: the time since an earlier look, 10 s at least once it has been loaded for so long.</summary>
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

    /// <summary>Runs that did not end when they were asked to; they are among those of <see cref="Running"/>.</summary>
    [Id(12)]
    public int Stuck { get; init; }
}

/// <summary>What one version is to have.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Version">At least 1.</param>
/// <param name="Declared">Bytes that a replica is reckoned with before it is measured: from its files.</param>
/// <param name="Wanted">Replicas that it is to have in memory now; 0 where its next request loads it, and where it does not serve.</param>
[GenerateSerializer, Immutable, Alias("version-figures")]
public sealed record VersionFigures(
    [property: Id(0)] string Model, [property: Id(1)] long Version, [property: Id(2)] long Declared, [property: Id(3)] int Wanted);
