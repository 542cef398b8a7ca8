using System.Collections.Immutable;

namespace Cluster.Contracts.Models;

/// <summary>What should be served under a name: the existing versions, the choice among them, and the settings.</summary>
[GenerateSerializer, Immutable, Alias("model-registration")]
public sealed record ModelRegistration
{
    /// <summary>The name that clients use.</summary>
    [Id(0)]
    public required string Name { get; init; }

    /// <summary>Every version in the repository, ascending.</summary>
    [Id(1)]
    public required ImmutableArray<ModelVersionSource> Versions { get; init; }

    [Id(2)]
    public VersionPolicy VersionPolicy { get; init; } = VersionPolicy.LatestOne;

    [Id(3)]
    public ModelSettings Settings { get; init; } = ModelSettings.Default;

    /// <summary>Fingerprint of the settings by which a replica is loaded and placed. If it changes, every served version is loaded again.</summary>
    [Id(4)]
    public string SettingsRevision { get; init; } = "";

    /// <summary>
    /// Why this model cannot be served as asked for, or null: its settings or its folder cannot be read, or no version can be loaded. Then nothing new is loaded, and
    /// serving versions stay while they are in <see cref="Versions"/>. <see cref="Settings"/> are the last good ones, or the defaults.
    /// </summary>
    [Id(5)]
    public string? Problem { get; init; }

    [Id(6)]
    public RegistrationOrigin Origin { get; init; }

    /// <summary>Set by an operator in place of those of <see cref="Settings"/>; null where none are.</summary>
    [Id(7)]
    public ReplicaBounds? Bounds { get; init; }

    /// <summary>The least replicas of a version in memory, at least 1, and the most, 0 for as many as there are silos.</summary>
    public (int Least, int Most) CopyBounds() => Bounds?.Over(Settings) ?? (Settings.MinCopies, Settings.MaxCopies);

    /// <summary>Whether this says that there is no such model any more.</summary>
    public bool IsRemoval => Versions.IsEmpty && Problem is null;
}

/// <summary>The origin of a registration. A name belongs to the first that claims it, until that one releases it.</summary>
[GenerateSerializer, Alias("registration-origin")]
public enum RegistrationOrigin
{
    /// <summary>The operator's model repository. Loaded as soon as it is seen.</summary>
    Repository,

    /// <summary>A client, at run time. Loaded at its first request.</summary>
    Registered,
}
