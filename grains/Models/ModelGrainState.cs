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

    /// <summary>Copies that serve, by version.</summary>
    [Id(2)]
    public ImmutableSortedDictionary<long, LoadedCopy> Loaded { get; init; } = ImmutableSortedDictionary<long, LoadedCopy>.Empty;

    /// <summary>The latest failure of each version that failed.</summary>
    [Id(3)]
    public ImmutableSortedDictionary<long, FailedLoad> Failed { get; init; } = ImmutableSortedDictionary<long, FailedLoad>.Empty;

    /// <summary>What the copies that serve told of themselves, by version; a version without an entry is in memory.</summary>
    [Id(4)]
    public ImmutableSortedDictionary<long, CopyPresence> Presence { get; init; } = ImmutableSortedDictionary<long, CopyPresence>.Empty;

    /// <summary>Whether the model was registered and nobody has asked for it yet.</summary>
    [Id(5)]
    public bool NotYetUsed { get; init; }
}
