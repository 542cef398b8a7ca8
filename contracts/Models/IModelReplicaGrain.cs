using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;

namespace Cluster.Contracts.Models;

/// <summary>
/// One replica of one model version: an inference session with its concurrency limit, queue and statistics. The key is a
/// <see cref="ModelReplicaId"/>, which says where it is. Only a command of its model loads it, and only once. A call to a replica that is not loaded says so at once.
/// </summary>
[Alias("model-replica")]
public interface IModelReplicaGrain : IGrainWithStringKey
{
    /// <summary>Runs a request. Refusals and failures come back as values; <c>Moved</c> where the replica is not loaded.</summary>
    [ResponseTimeout("01:00:00"), Alias("infer")]
    ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Loads the replica, waiting for room on its silo; at once where it is loaded. A cancelled load, or one that <see cref="UnloadAsync"/> ends, ends at
    /// ONNX Runtime's next step.
    /// </summary>
    [ResponseTimeout("01:00:00"), Alias("ensure-loaded")]
    ValueTask<ReplicaLoad> EnsureLoadedAsync(ReplicaSpec spec, CancellationToken cancellationToken);

    /// <summary>The loaded model. Null where none is loaded.</summary>
    [Alias("describe")]
    ValueTask<ModelDescription?> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>The replica's figures since its load. Null where it is not loaded.</summary>
    [Alias("statistics")]
    ValueTask<ReplicaStatistics?> GetStatisticsAsync(CancellationToken cancellationToken);

    /// <summary>Ends the replica once the requests that it has taken are answered, or its load. Returns at once.</summary>
    [Alias("unload")]
    ValueTask UnloadAsync();
}

/// <summary>The end of a replica's load. One of the two is set.</summary>
/// <param name="Description">The loaded model.</param>
/// <param name="Failure">Why the load failed. <c>Moved</c>, <c>Full</c> and <c>LoadFailed</c> leave it to another silo.</param>
[GenerateSerializer, Immutable, Alias("replica-load")]
public sealed record ReplicaLoad([property: Id(0)] ModelDescription? Description, [property: Id(1)] Failure? Failure);

/// <summary>The content and settings that a replica loads.</summary>
[GenerateSerializer, Immutable, Alias("replica-spec")]
public sealed record ReplicaSpec(
    [property: Id(0)] ModelVersionSource Source,
    [property: Id(1)] ModelSettings Settings,
    [property: Id(2)] VersionPolicy VersionPolicy)
{
    /// <summary>In whose part of the silo's memory it counts.</summary>
    [Id(3)]
    public CallerShare Owner { get; init; }

    /// <summary>Whether it is refused where others would have to go for it: another silo has room.</summary>
    [Id(4)]
    public bool FreeRoomOnly { get; init; }
}

/// <summary>A loaded replica of this process. Safe from any thread.</summary>
public interface IReplica
{
    /// <summary>Whether a request would run at once.</summary>
    bool HasRoom { get; }

    /// <inheritdoc cref="IModelReplicaGrain.InferAsync"/>
    ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken);
}

/// <summary>The loaded replicas of this process, to be called without a message. Safe from any thread.</summary>
public interface ILocalReplicas
{
    /// <summary>Whether a silo is this process.</summary>
    bool IsHere(SiloAddress silo);

    bool TryGet(ModelReplicaId id, [NotNullWhen(true)] out IReplica? replica);
}

/// <summary>The key of an <see cref="IModelReplicaGrain"/>: one replica of one version of a model, <c>name/version/number@silo</c>.</summary>
/// <param name="Model">The model's name; never contains a slash.</param>
/// <param name="Version">At least 1.</param>
/// <param name="Number">At least 0. Given out once: a reference to a replica that has ended never meets another.</param>
/// <param name="Silo">The silo that holds the replica, or no silo does; in the key in its parsable form.</param>
[GenerateSerializer, Immutable, Alias("model-replica-id")]
public readonly record struct ModelReplicaId(
    [property: Id(0)] string Model, [property: Id(1)] long Version, [property: Id(2)] int Number, [property: Id(3)] SiloAddress Silo)
{
    /// <summary>Reads the form that <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string key, out ModelReplicaId id)
    {
        id = default;
        var at = key.IndexOf('@', key.LastIndexOf('/') + 1);
        if (at < 0
            || key[..at].Split('/') is not [{ Length: > 0 } model, var versionText, var numberText]
            || !long.TryParse(versionText, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            || version < 1
            || !int.TryParse(numberText, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !TryParseSilo(key[(at + 1)..], out var silo))
        {
            return false;
        }

        id = new ModelReplicaId(model, version, number, silo);
        if (id.ToString() != key)
        {
            // Another spelling of the same replica would be another grain.
            id = default;
            return false;
        }

        return true;
    }

    /// <summary>The grain key.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Model}/{Version}/{Number}@{Silo.ToParsableString()}");

    private static bool TryParseSilo(string text, [NotNullWhen(true)] out SiloAddress? silo)
    {
        try
        {
            silo = SiloAddress.FromParsableString(text);
            return true;
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or ArgumentException)
        {
            silo = null;
            return false;
        }
    }
}

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
