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

    /// <summary>Fingerprint of policy and settings: a change of settings loads every served version anew.</summary>
    [Id(4)]
    public string SettingsRevision { get; init; } = "";

    /// <summary>
    /// Why the settings could not be read, or null. Then <see cref="Settings"/> are the defaults and nothing new is loaded; what
    /// is served stays.
    /// </summary>
    [Id(5)]
    public string? Problem { get; init; }
}
