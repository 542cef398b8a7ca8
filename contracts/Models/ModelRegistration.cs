using System.Collections.Immutable;

namespace Cluster.Contracts.Models;

/// <summary>What should be served under a name: the versions there are, which of them to serve, and how.</summary>
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

    /// <summary>Fingerprint of the settings that a replica is loaded and placed by: where it changes, every served version is loaded anew.</summary>
    [Id(4)]
    public string SettingsRevision { get; init; } = "";

    /// <summary>
    /// Why this model cannot be served as asked for, or null: its settings or its folder cannot be read, or no version can be loaded. Then nothing new is loaded, and what is served stays as long as it is
    /// still in <see cref="Versions"/>. <see cref="Settings"/> are the last good ones, or the defaults.
    /// </summary>
    [Id(5)]
    public string? Problem { get; init; }

    [Id(6)]
    public RegistrationOrigin Origin { get; init; }

    /// <summary>Set by an operator in place of those of <see cref="Settings"/>; null where none are.</summary>
    [Id(7)]
    public ReplicaBounds? Bounds { get; init; }

    /// <summary>Of the client that registered it; the default for a model of the repository.</summary>
    [Id(8)]
    public CallerShare Owner { get; init; }

    /// <summary>The least replicas of a version in memory, at least 1, and the most, 0 for as many as there are silos.</summary>
    public (int Least, int Most) CopyBounds() => Bounds?.Over(Settings) ?? (Settings.MinCopies, Settings.MaxCopies);

    /// <summary>Whether this says that there is no such model any more.</summary>
    public bool IsRemoval => Versions.IsEmpty && Problem is null;
}

/// <summary>Who says that a model should be served. A name belongs to the first that claims it, until that one lets go.</summary>
[GenerateSerializer, Alias("registration-origin")]
public enum RegistrationOrigin
{
    /// <summary>The operator's model repository. Loaded as soon as it is seen.</summary>
    Repository,

    /// <summary>A client, at run time. Loaded at its first request.</summary>
    Registered,
}
