using System.Collections.Immutable;

namespace Cluster.Contracts.Models;

/// <summary>How a model's versions are loaded and run. Every property has a default that serves most models.</summary>
[GenerateSerializer, Immutable, Alias("model-settings")]
public sealed record ModelSettings
{
    public static ModelSettings Default { get; } = new();

    /// <summary>Where the graph runs. Default: the CPU.</summary>
    [Id(0)]
    public ExecutionProvider ExecutionProvider { get; init; } = ExecutionProvider.Cpu;

    /// <summary>Requests that one replica runs at the same time, 1 to 1024; 0, the default, derives it from <see cref="PerformanceHint"/>.</summary>
    [Id(1)]
    public int Concurrency { get; init; }

    /// <summary>
    /// Requests that may wait in front of one replica, 0 to 1,000,000; null, the default, takes the silo's option. More means
    /// longer waits under overload, fewer means earlier refusals.
    /// </summary>
    [Id(2)]
    public int? QueueLimit { get; init; }

    /// <summary>Threads that one request may use inside the graph, 1 to 1024; 0, the default, derives it from <see cref="PerformanceHint"/>.</summary>
    [Id(3)]
    public int IntraOpThreads { get; init; }

    /// <summary>Default: all that ONNX Runtime offers.</summary>
    [Id(4)]
    public GraphOptimization GraphOptimization { get; init; } = GraphOptimization.All;

    /// <summary>What <see cref="Concurrency"/> and <see cref="IntraOpThreads"/> are derived from where they are 0.</summary>
    [Id(5)]
    public PerformanceHint PerformanceHint { get; init; } = PerformanceHint.Auto;

    /// <summary>
    /// Narrower limits on input dimensions than the graph's own, by input name; the name <c>""</c> applies to every input.
    /// A request outside is refused.
    /// </summary>
    [Id(6)]
    public ImmutableSortedDictionary<string, ImmutableArray<DimensionRange>> InputShapes { get; init; } =
        ImmutableSortedDictionary<string, ImmutableArray<DimensionRange>>.Empty;

    /// <summary>Limits on the first dimension of every input; null, the default, leaves it to the graph.</summary>
    [Id(7)]
    public DimensionRange? BatchSize { get; init; }

    /// <summary>
    /// Files with one class label a line, by output name, relative to the version's folder; used by the classification parameter.
    /// </summary>
    [Id(8)]
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Least replicas of a version that is in memory, 1 to 1000; no more than there are silos that may hold one. Default 1.</summary>
    [Id(9)]
    public int MinCopies { get; init; } = 1;

    /// <summary>Most replicas of a version, at least <see cref="MinCopies"/>; 0, the default, is as many as there are silos.</summary>
    [Id(10)]
    public int MaxCopies { get; init; }

    /// <summary>Labels that a silo must have, all of them, to hold a replica. Default none.</summary>
    [Id(11)]
    public ImmutableArray<string> RequiredLabels { get; init; } = [];

    /// <summary>Labels of which a silo should have one. Default none.</summary>
    [Id(12)]
    public ImmutableArray<string> PreferredLabels { get; init; } = [];

    /// <summary>
    /// Bytes that one run may take beside the model's weights, from 1 MiB; <see cref="long.MaxValue"/>, the default, sets no limit but the silo's memory. A run that
    /// needs more is refused.
    /// </summary>
    [Id(13)]
    public long MaxRunBytes { get; init; } = long.MaxValue;

    /// <summary>
    /// The largest batch that clients see, 1 to 2,147,483,647. The first dimension of every input and output is then the batch. 0, the default: clients see whole
    /// shapes. Where it is set, <see cref="BatchSize"/> has the same limit.
    /// </summary>
    [Id(15)]
    public int MaxBatchSize { get; init; }

    /// <summary>The format that clients see of inputs that are images, by input name. The name <c>""</c> applies to every input. Default none.</summary>
    [Id(14)]
    public ImmutableSortedDictionary<string, ImageFormat> Format { get; init; } = ImmutableSortedDictionary<string, ImageFormat>.Empty;

    /// <summary>Whether the graph runs before the replica serves, with a sample or zeros. Default yes.</summary>
    [Id(17)]
    public bool WarmUp { get; init; } = true;

    /// <summary>Default: each request runs by itself.</summary>
    [Id(18)]
    public BatchingSettings Batching { get; init; } = BatchingSettings.None;

    /// <summary>Priorities that requests may have, 1 (first to run) to this, at most 32; 0, the default: requests have none.</summary>
    [Id(19)]
    public int PriorityLevels { get; init; }

    /// <summary>Priority of a request that names none, 1 to <see cref="PriorityLevels"/>; 0 where there are none.</summary>
    [Id(20)]
    public int DefaultPriority { get; init; }

    /// <summary>
    /// Expected wait above which a request is refused at once, up to an hour; null, the default, takes the silo's option. It keeps answers timely under overload, at the price of
    /// refusals that a longer queue would have served late.
    /// </summary>
    [Id(21)]
    public TimeSpan? QueueDelay { get; init; }

    /// <summary>Bytes of answers that each replica keeps for requests of the same content, up to a tebibyte; 0, the default, keeps none.</summary>
    [Id(22)]
    public long ResponseCacheBytes { get; init; }

    /// <summary>
    /// Bytes of requests that may wait in front of one replica, up to a tebibyte. <see cref="long.MaxValue"/> is no such limit. Null, the default, takes the silo's
    /// option. An empty queue takes a request of any size.
    /// </summary>
    [Id(23)]
    public long? QueueBytes { get; init; }

    /// <summary>
    /// Whether each replica finds the number of requests that it runs at the same time itself, from that which <see cref="PerformanceHint"/> gives. Not with
    /// <see cref="Batching"/>. Default no.
    /// </summary>
    [Id(24)]
    public bool AdaptiveConcurrency { get; init; }

    /// <summary>How OpenVINO runs the graph, where it does.</summary>
    [Id(16)]
    public ProviderSettings ProviderOptions { get; init; } = ProviderSettings.Default;
}

/// <summary>The aim of a model's tuning. The numbers travel: 0 was an earlier program's default, as it is this one's.</summary>
[GenerateSerializer, Alias("performance-hint")]
public enum PerformanceHint
{
    /// <summary>All cores for a request that is alone on its silo, one thread for each of several.</summary>
    Auto = 0,

    /// <summary>One request at once, on all cores.</summary>
    Latency = 1,

    /// <summary>One thread a request, as many requests at once as there are cores.</summary>
    Throughput = 2,
}

/// <summary>How far ONNX Runtime rewrites a graph when it loads it.</summary>
[GenerateSerializer, Alias("graph-optimization")]
public enum GraphOptimization
{
    /// <summary>As written.</summary>
    Disable,

    /// <summary>Rewrites that every provider understands.</summary>
    Basic,

    /// <summary>Also fusions for the chosen provider.</summary>
    Extended,

    /// <summary>Also layout changes.</summary>
    All,
}

/// <summary>How an input of an image orders its dimensions. Clients see it, and it has no other effect.</summary>
[GenerateSerializer, Alias("image-format")]
public enum ImageFormat
{
    /// <summary>Not said.</summary>
    None,

    /// <summary>Height, width, channels.</summary>
    Nhwc,

    /// <summary>Channels, height, width.</summary>
    Nchw,
}

/// <summary>Sizes that a dimension may have, both ends included.</summary>
/// <param name="Min">At least 0.</param>
/// <param name="Max">At least <paramref name="Min"/>; <see cref="long.MaxValue"/> for no upper limit.</param>
[GenerateSerializer, Immutable, Alias("dimension-range")]
public readonly record struct DimensionRange([property: Id(0)] long Min, [property: Id(1)] long Max)
{
    /// <summary>Any size.</summary>
    public static DimensionRange Any { get; } = new(0, long.MaxValue);

    /// <summary>Just this size.</summary>
    public static DimensionRange Exactly(long size) => new(size, size);

    public bool Contains(long size) => size >= Min && size <= Max;

    /// <summary><c>-1</c> for any, <c>4</c> for exactly 4, <c>1:8</c> for a range.</summary>
    public override string ToString() => this == Any ? "-1" : Min == Max ? $"{Min}" : $"{Min}:{Max}";
}

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
