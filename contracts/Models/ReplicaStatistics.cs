using System.Collections.Immutable;

namespace Cluster.Contracts.Models;

/// <summary>The figures of one replica since its load.</summary>
[GenerateSerializer, Immutable, Alias("copy-statistics")]
public sealed record ReplicaStatistics
{
    /// <summary>When the last run ended, or null before the first.</summary>
    [Id(0)]
    public DateTimeOffset? LastInference { get; init; }

    /// <summary>Rows that were answered: a batch of 64 counts 64.</summary>
    [Id(1)]
    public long InferenceCount { get; init; }

    /// <summary>Runs of the session that were answered: a batch of 64 counts once.</summary>
    [Id(2)]
    public long ExecutionCount { get; init; }

    /// <summary>Whole requests that were answered, from their arrival at the replica.</summary>
    [Id(3)]
    public DurationTotal Success { get; init; }

    /// <summary>Whole requests that were refused or failed.</summary>
    [Id(4)]
    public DurationTotal Fail { get; init; }

    /// <summary>Waits for a free slot, of answered requests.</summary>
    [Id(5)]
    public DurationTotal Queue { get; init; }

    /// <summary>Locating and binding inputs.</summary>
    [Id(6)]
    public DurationTotal ComputeInput { get; init; }

    /// <summary>Running the session.</summary>
    [Id(7)]
    public DurationTotal ComputeInfer { get; init; }

    /// <summary>Writing outputs into the response.</summary>
    [Id(8)]
    public DurationTotal ComputeOutput { get; init; }

    /// <summary>Compute totals by batch size (size of the first dimension), for the sizes seen; at most 128 sizes, then the rest are left out.</summary>
    [Id(9)]
    public ImmutableSortedDictionary<long, BatchStatistics> Batches { get; init; } = ImmutableSortedDictionary<long, BatchStatistics>.Empty;

    /// <summary>Whole requests that their caller cancelled, or that passed their deadline, while they waited or ran.</summary>
    [Id(10)]
    public DurationTotal Cancel { get; init; }

    /// <summary>Where it runs; none once it has ended.</summary>
    [Id(11)]
    public ImmutableArray<ExecutionProvider> Providers { get; init; } = [];

    /// <summary>Requests that were answered without a run, from answers that are kept; they are in <see cref="Success"/> too.</summary>
    [Id(12)]
    public DurationTotal CacheHit { get; init; }

    /// <summary>Looks at the kept answers that found none.</summary>
    [Id(13)]
    public DurationTotal CacheMiss { get; init; }

    /// <summary>Both together.</summary>
    public static ReplicaStatistics Sum(ReplicaStatistics first, ReplicaStatistics second) => new()
    {
        LastInference = first.LastInference > second.LastInference ? first.LastInference : second.LastInference ?? first.LastInference,
        InferenceCount = first.InferenceCount + second.InferenceCount,
        ExecutionCount = first.ExecutionCount + second.ExecutionCount,
        Success = first.Success + second.Success,
        Fail = first.Fail + second.Fail,
        Cancel = first.Cancel + second.Cancel,
        Queue = first.Queue + second.Queue,
        CacheHit = first.CacheHit + second.CacheHit,
        CacheMiss = first.CacheMiss + second.CacheMiss,
        Providers = [.. first.Providers.Union(second.Providers)],
        ComputeInput = first.ComputeInput + second.ComputeInput,
        ComputeInfer = first.ComputeInfer + second.ComputeInfer,
        ComputeOutput = first.ComputeOutput + second.ComputeOutput,
        Batches = first.Batches.Concat(second.Batches)
            .GroupBy(batch => batch.Key, batch => batch.Value)
            .ToImmutableSortedDictionary(sizes => sizes.Key, sizes => sizes.Aggregate((sum, batch) =>
                new BatchStatistics(sum.Input + batch.Input, sum.Infer + batch.Infer, sum.Output + batch.Output))),
    };
}

/// <summary>Compute totals of the runs with one batch size.</summary>
[GenerateSerializer, Immutable, Alias("batch-statistics")]
public readonly record struct BatchStatistics(
    [property: Id(0)] DurationTotal Input,
    [property: Id(1)] DurationTotal Infer,
    [property: Id(2)] DurationTotal Output);

/// <summary>How often something happened and how long it took in all.</summary>
/// <param name="Count">Times.</param>
/// <param name="Nanoseconds">Sum.</param>
[GenerateSerializer, Immutable, Alias("duration-total")]
public readonly record struct DurationTotal([property: Id(0)] long Count, [property: Id(1)] long Nanoseconds)
{
    public static DurationTotal operator +(DurationTotal left, DurationTotal right) => Add(left, right);

    public static DurationTotal Add(DurationTotal left, DurationTotal right) =>
        new(left.Count + right.Count, left.Nanoseconds + right.Nanoseconds);
}
