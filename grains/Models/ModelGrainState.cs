using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Scaling;

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

    /// <summary>Silos that were lost lately while they loaded a version.</summary>
    [Id(13)]
    public ImmutableSortedDictionary<long, ImmutableArray<LoadLoss>> LostWith { get; init; } =
        ImmutableSortedDictionary<long, ImmutableArray<LoadLoss>>.Empty;

    /// <summary>Silos where runs that do not end had all slots of a version's replica, one entry for each time of late.</summary>
    [Id(14)]
    public ImmutableSortedDictionary<long, ImmutableArray<SiloFailure>> StuckOn { get; init; } =
        ImmutableSortedDictionary<long, ImmutableArray<SiloFailure>>.Empty;

    /// <summary>When versions were used.</summary>
    [Id(9)]
    public ImmutableSortedDictionary<long, VersionUse> Uses { get; init; } = ImmutableSortedDictionary<long, VersionUse>.Empty;
}

/// <summary>Content that did not load. The model tries it again when it or the settings change, on request, or at <paramref name="RetryOn"/>.</summary>
[GenerateSerializer, Immutable, Alias("failed-load")]
public sealed record FailedLoad([property: Id(0)] string Revision, [property: Id(1)] string SettingsRevision, [property: Id(2)] string Reason, [property: Id(3)] DateTimeOffset? RetryOn = null, [property: Id(4)] bool NoSilo = false);

/// <summary>A version that serves: its replicas, which are all loaded and of one content.</summary>
/// <param name="Replicas">By number, ascending; none where the version is loaded by its next request.</param>
/// <param name="Revision">What they are loaded from.</param>
/// <param name="SettingsRevision">What they are loaded with.</param>
/// <param name="Target">How many replicas the load asks for, at least 1; the model's bounds come on top.</param>
[GenerateSerializer, Immutable, Alias("loaded-version")]
public sealed record LoadedVersion(
    ImmutableArray<PlacedReplica> Replicas,
    [property: Id(1)] string Revision,
    [property: Id(2)] string SettingsRevision,
    [property: Id(3)] int Target = 1)
{
    /// <inheritdoc cref="LoadedVersion" path="/param[@name='Replicas']"/>
    [Id(4)]
    public ImmutableArray<PlacedReplica> Replicas { get; init; } = Replicas.IsDefault ? [] : Replicas;
}

/// <summary>What is known of a version from its loads before.</summary>
/// <param name="Description">From its last load.</param>
/// <param name="Statistics">Of its replicas that have ended; null if none has.</param>
[GenerateSerializer, Immutable, Alias("past-loads")]
public sealed record PastLoads([property: Id(0)] ModelDescription? Description, [property: Id(1)] ReplicaStatistics? Statistics);

/// <summary>When a version was used. Kept some minutes late, so that use costs no writes.</summary>
/// <param name="LastUsed">The latest use of any replica.</param>
/// <param name="History">Earlier uses, for <see cref="ReplicaScaling"/>.</param>
[GenerateSerializer, Immutable, Alias("version-use")]
public sealed record VersionUse([property: Id(0)] DateTimeOffset LastUsed, [property: Id(1)] UseHistory History);

/// <summary>A silo where a content failed: it is not tried there again for a while.</summary>
[GenerateSerializer, Immutable, Alias("silo-failure")]
public sealed record SiloFailure(
    [property: Id(0)] SiloAddress Silo,
    [property: Id(1)] string Revision,
    [property: Id(2)] string SettingsRevision,
    [property: Id(3)] DateTimeOffset At);

/// <summary>A silo that was lost while it loaded a content.</summary>
/// <param name="NextReplica">The number of the version's next replica by then. What had a smaller number was arriving already: its loss is the same event.</param>
[GenerateSerializer, Immutable, Alias("load-loss")]
public sealed record LoadLoss(
    [property: Id(0)] SiloAddress Silo,
    [property: Id(1)] string Revision,
    [property: Id(2)] string SettingsRevision,
    [property: Id(3)] DateTimeOffset At,
    [property: Id(4)] int NextReplica);
