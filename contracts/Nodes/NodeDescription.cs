using System.Collections.Immutable;
using Cluster.Contracts.Models;

namespace Cluster.Contracts.Nodes;

/// <summary>One silo.</summary>
[GenerateSerializer, Immutable, Alias("node-description")]
public sealed record NodeDescription
{
    /// <summary>In the parsable form of its address.</summary>
    [Id(0)]
    public required string Silo { get; init; }

    [Id(1)]
    public required string Name { get; init; }

    /// <summary>As the membership has it: Joining, Active, ShuttingDown, Stopping or Dead.</summary>
    [Id(2)]
    public required string Status { get; init; }

    /// <summary>Bytes that replicas may take together. 0 until the silo has published it.</summary>
    [Id(3)]
    public long Capacity { get; init; }

    /// <summary>Bytes taken.</summary>
    [Id(4)]
    public long Used { get; init; }

    /// <summary>Replicas that are loaded or being loaded.</summary>
    [Id(5)]
    public int Copies { get; init; }

    /// <summary>Loads running or waiting.</summary>
    [Id(6)]
    public int Loading { get; init; }

    /// <summary>Since the longest unused replica was used; null where none is loaded.</summary>
    [Id(7)]
    public TimeSpan? OldestIdle { get; init; }

    /// <summary>Inference requests in the last minute.</summary>
    [Id(8)]
    public double RequestsPerMinute { get; init; }

    [Id(9)]
    public ImmutableArray<string> Labels { get; init; } = [];

    /// <summary>ONNX Runtime's version, and OpenVINO's with its devices. Empty until the silo has published it.</summary>
    [Id(11)]
    public string Runtime { get; init; } = "";

    /// <summary>Whether its model repository holds other content than the cluster serves.</summary>
    [Id(12)]
    public bool Disagrees { get; init; }

    /// <summary>Bytes that sessions and runs take now; 0 where the silo did not answer in time.</summary>
    [Id(13)]
    public long TensorMemory { get; init; }

    /// <summary>Bytes that sessions and runs may take together; 0 where the silo did not answer in time.</summary>
    [Id(14)]
    public long TensorMemoryLimit { get; init; }

    /// <summary>Whether it takes no new replicas, because it is about to leave, or an operator drains it.</summary>
    [Id(10)]
    public bool Draining { get; init; }
}

/// <summary>The silos that can hold models, as this process knows them. Reads take no network; safe from any thread.</summary>
public interface IKnownSilos
{
    /// <summary>
    /// Every one that is a member, dead ones for a while too, in the order of their addresses. Figures that a silo gives only when asked are left out.
    /// </summary>
    ImmutableArray<NodeDescription> All { get; }
}

/// <summary>The runtimes of the living silos. Reads take no lock and no network; safe from any thread.</summary>
public interface IRuntimeVersions
{
    /// <summary>Each once, sorted, for people: "1.31.1", "1.24.1 with OpenVINO 2025.4.1 on CPU".</summary>
    IEnumerable<string> All { get; }
}

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

    /// <summary>Runs that did not end when they were asked to; they are among those of <see cref="Running"/>.</summary>
    [Id(12)]
    public int Stuck { get; init; }
}

/// <summary>The desired replicas of one version.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Version">At least 1.</param>
/// <param name="Declared">Bytes that count for a replica before it is measured, from its files.</param>
/// <param name="Wanted">Replicas that should be in memory now. 0 where its next request loads it, and where it does not serve.</param>
[GenerateSerializer, Immutable, Alias("version-figures")]
public sealed record VersionFigures(
    [property: Id(0)] string Model, [property: Id(1)] long Version, [property: Id(2)] long Declared, [property: Id(3)] int Wanted);
