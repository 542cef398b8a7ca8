using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Models;

/// <summary>What a model's grain knows, and keeps through its own deactivation.</summary>
[GenerateSerializer, Alias("model-grain-state")]
public sealed record ModelGrainState
{
    /// <summary>The repository's latest word, or null before the first.</summary>
    [Id(0)]
    public ModelRegistration? Registration { get; init; }

    /// <summary>Whether the model is unloaded on request.</summary>
    [Id(1)]
    public bool Unloaded { get; init; }

    /// <summary>Versions that serve.</summary>
    [Id(2)]
    public ImmutableSortedDictionary<long, LoadedVersion> Loaded { get; init; } = ImmutableSortedDictionary<long, LoadedVersion>.Empty;

    /// <summary>The latest failure of each version that failed.</summary>
    [Id(3)]
    public ImmutableSortedDictionary<long, FailedLoad> Failed { get; init; } = ImmutableSortedDictionary<long, FailedLoad>.Empty;

    /// <summary>What is known of versions that serve from their loads before.</summary>
    [Id(10)]
    public ImmutableSortedDictionary<long, PastLoads> Past { get; init; } = ImmutableSortedDictionary<long, PastLoads>.Empty;

    /// <summary>Whether the model was registered and waits for its first request.</summary>
    [Id(5)]
    public bool NotYetUsed { get; init; }

    /// <summary>Replicas that are being loaded and do not serve yet, by version.</summary>
    [Id(11)]
    public ImmutableSortedDictionary<long, ImmutableArray<PlacedReplica>> Arriving { get; init; } =
        ImmutableSortedDictionary<long, ImmutableArray<PlacedReplica>>.Empty;

    /// <summary>The number of each version's next replica. A number is given out once, so that a call by an old route finds no other content.</summary>
    [Id(7)]
    public ImmutableSortedDictionary<long, int> NextReplica { get; init; } = ImmutableSortedDictionary<long, int>.Empty;

    /// <summary>Where versions failed to load lately.</summary>
    [Id(12)]
    public ImmutableSortedDictionary<long, ImmutableArray<SiloFailure>> FailedOn { get; init; } =
        ImmutableSortedDictionary<long, ImmutableArray<SiloFailure>>.Empty;

    /// <summary>When versions were used.</summary>
    [Id(9)]
    public ImmutableSortedDictionary<long, VersionUse> Uses { get; init; } = ImmutableSortedDictionary<long, VersionUse>.Empty;
}
