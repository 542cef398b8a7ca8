using System.Collections.Immutable;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Models;

/// <summary>What a model's grain knows, and keeps through its own deactivation.</summary>
[GenerateSerializer, Alias("model-grain-state")]
public sealed record ModelGrainState
{
    /// <summary>The repository's latest word, or null before the first.</summary>
    [Id(0)]
    public ModelRegistration? Registration { get; init; }

    /// <summary>Whether somebody asked not to serve the model.</summary>
    [Id(1)]
    public bool Unloaded { get; init; }

    /// <summary>Versions that serve.</summary>
    [Id(2)]
    public ImmutableSortedDictionary<long, LoadedVersion> Loaded { get; init; } = ImmutableSortedDictionary<long, LoadedVersion>.Empty;

    /// <summary>The latest failure of each version that failed.</summary>
    [Id(3)]
    public ImmutableSortedDictionary<long, FailedLoad> Failed { get; init; } = ImmutableSortedDictionary<long, FailedLoad>.Empty;

    /// <summary>
    /// What copies that serve or arrive told of themselves, by version and number; a copy that serves without an entry is in memory, nobody knows where yet.
    /// </summary>
    [Id(4)]
    public ImmutableSortedDictionary<long, ImmutableSortedDictionary<int, CopyPresence>> Presence { get; init; } =
        ImmutableSortedDictionary<long, ImmutableSortedDictionary<int, CopyPresence>>.Empty;

    /// <summary>Whether the model was registered and nobody has asked for it yet.</summary>
    [Id(5)]
    public bool NotYetUsed { get; init; }

    /// <summary>Copies that are being loaded and do not serve yet, by version.</summary>
    [Id(6)]
    public ImmutableSortedDictionary<long, ImmutableArray<int>> Arriving { get; init; } = ImmutableSortedDictionary<long, ImmutableArray<int>>.Empty;

    /// <summary>
    /// The number of each version's next copy. A number is given out once: a reference to a copy of earlier content never meets another.
    /// </summary>
    [Id(7)]
    public ImmutableSortedDictionary<long, int> NextCopy { get; init; } = ImmutableSortedDictionary<long, int>.Empty;

    /// <summary>Where versions failed to load lately.</summary>
    [Id(8)]
    public ImmutableSortedDictionary<long, ImmutableArray<SiloFailure>> FailedOn { get; init; } =
        ImmutableSortedDictionary<long, ImmutableArray<SiloFailure>>.Empty;

    /// <summary>When versions were used.</summary>
    [Id(9)]
    public ImmutableSortedDictionary<long, VersionUse> Uses { get; init; } = ImmutableSortedDictionary<long, VersionUse>.Empty;
}
