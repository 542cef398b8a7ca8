using System.Collections.Immutable;
using Cluster.Contracts.Wire;

namespace Cluster.Contracts.Models;

/// <summary>What a loaded replica can tell about its model.</summary>
[GenerateSerializer, Immutable, Alias("model-description")]
public sealed record ModelDescription
{
    [Id(0)]
    public required string Name { get; init; }

    [Id(1)]
    public required long Version { get; init; }

    [Id(2)]
    public required ImmutableArray<TensorSpec> Inputs { get; init; }

    [Id(3)]
    public required ImmutableArray<TensorSpec> Outputs { get; init; }

    /// <summary>Where the graph really runs; never <see cref="ExecutionProvider.Auto"/>.</summary>
    [Id(4)]
    public required ExecutionProvider ExecutionProvider { get; init; }

    /// <summary>Requests that run at the same time, at least 1.</summary>
    [Id(5)]
    public required int Concurrency { get; init; }

    /// <summary>Threads that one request may use inside the graph, at least 1.</summary>
    [Id(6)]
    public required int IntraOpThreads { get; init; }

    /// <summary>Requests that may wait, at least 0.</summary>
    [Id(7)]
    public required int QueueLimit { get; init; }

    [Id(8)]
    public required VersionPolicy VersionPolicy { get; init; }

    /// <summary>The .onnx file's name, without its folder.</summary>
    [Id(9)]
    public required string FileName { get; init; }

    /// <summary>Label files by output, as <see cref="ModelSettings.Labels"/>.</summary>
    [Id(10)]
    public required ImmutableSortedDictionary<string, string> Labels { get; init; }

    /// <summary>The producer's notes in the file (producer, description, custom entries), for the metadata's properties.</summary>
    [Id(11)]
    public required ImmutableSortedDictionary<string, string> Properties { get; init; }

    /// <summary>As <see cref="ModelSettings.MaxBatchSize"/>.</summary>
    [Id(12)]
    public int MaxBatchSize { get; init; }

    /// <summary>Formats by input, of inputs that have one.</summary>
    [Id(13)]
    public ImmutableSortedDictionary<string, ImageFormat> Formats { get; init; } = ImmutableSortedDictionary<string, ImageFormat>.Empty;

    /// <summary>Outputs of the graph that cannot be served, with their types.</summary>
    [Id(14)]
    public ImmutableSortedDictionary<string, string> Unserved { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>OpenVINO's device that the graph runs on; empty on the CPU provider.</summary>
    [Id(15)]
    public string Device { get; init; } = "";

    /// <summary>Why a model that may run on OpenVINO does not; empty where it does, or may not.</summary>
    [Id(16)]
    public string ProviderReason { get; init; } = "";

    /// <summary>Whether answers are kept for requests of the same content.</summary>
    [Id(18)]
    public bool CachesResponses { get; init; }

    /// <summary>How requests run together.</summary>
    [Id(17)]
    public BatchingSettings Batching { get; init; } = BatchingSettings.None;
}

/// <summary>An input or output as the loaded graph declares it.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Datatype">Never <see cref="Datatype.Unknown"/>.</param>
/// <param name="Shape">Dimensions, outermost first; −1 where each request chooses. Empty for a scalar.</param>
/// <param name="Optional">An input that the graph has a default for.</param>
[GenerateSerializer, Immutable, Alias("tensor-spec")]
public sealed record TensorSpec(
    [property: Id(0)] string Name,
    [property: Id(1)] Datatype Datatype,
    [property: Id(2)] ImmutableArray<long> Shape,
    [property: Id(3)] bool Optional = false);
