using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;

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

    /// <summary>Of the client that registered it; the default for a model of the repository.</summary>
    [Id(8)]
    public CallerShare Owner { get; init; }

    /// <summary>Whether a new model loads now, and not at its first request. Not kept.</summary>
    [Id(9)]
    [JsonIgnore]
    public bool LoadNow { get; init; }

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

/// <summary>One version of a model as the repository holds it.</summary>
/// <param name="Version">The folder's number, at least 1.</param>
/// <param name="Path">Absolute path of the .onnx file; empty where <paramref name="Problem"/> is set.</param>
/// <param name="Revision">
/// Fingerprint of all files in the version's folder. Another revision of the same version is other content, to be loaded again.
/// </param>
/// <param name="Problem">Why this version cannot be loaded at all (no .onnx file, a link out of the repository…), or null.</param>
[GenerateSerializer, Immutable, Alias("model-version-source")]
public sealed record ModelVersionSource(
    [property: Id(0)] long Version,
    [property: Id(1)] string Path,
    [property: Id(2)] string Revision,
    [property: Id(3)] string? Problem = null)
{
    /// <summary>Bytes of all files in the version's folder, links followed. 0 where <see cref="Problem"/> is set.</summary>
    [Id(4)]
    public long Bytes { get; init; }

    /// <summary>Whether the .onnx file is the whole version, without what stands beside it.</summary>
    [Id(5)]
    public bool IsSingleFile { get; init; }

    /// <summary>Whether the model's settings come from the operator, not from a file beside the model. Then they need no signature.</summary>
    [Id(6)]
    public bool HasOperatorSettings { get; init; }
}

/// <summary>Bounds on the replicas of a version in memory, in place of those of its model's settings.</summary>
/// <param name="Least">1 to 1000. Null leaves it to the settings.</param>
/// <param name="Most">0 to 1000, 0 for as many as there are silos. Null leaves it to the settings.</param>
[GenerateSerializer, Immutable, Alias("replica-bounds")]
public sealed record ReplicaBounds([property: Id(0)] int? Least, [property: Id(1)] int? Most)
{
    /// <summary>As many as a bound of a model's settings can be.</summary>
    public const int Largest = 1000;

    /// <summary>The mistake in the numbers, or null.</summary>
    public string? Problem() =>
        Least is < 1 or > Largest ? string.Create(CultureInfo.InvariantCulture, $"min_copies is {Least}, expected 1 to {Largest}")
        : Most is < 0 or > Largest ? string.Create(CultureInfo.InvariantCulture, $"max_copies is {Most}, expected 0 to {Largest}")
        : Most > 0 && Most < Least ? string.Create(CultureInfo.InvariantCulture, $"max_copies is {Most}, less than min_copies, {Least}")
        : null;

    /// <summary>The bounds for a model of those settings. Where one that is given contradicts one of the settings, the given one holds for both.</summary>
    public (int Least, int Most) Over(ModelSettings settings)
    {
        var (least, most) = (Least ?? settings.MinCopies, Most ?? settings.MaxCopies);
        return most == 0 || least <= most ? (least, most)
            : Least is null ? (most, most)
            : (least, least);
    }
}

/// <summary>This process's replica of the registrations that replicas are loaded by. Safe from any thread.</summary>
public interface IRegistrations
{
    bool TryGet(string model, [NotNullWhen(true)] out ModelRegistration? registration);

    /// <summary>Every known registration, in no order.</summary>
    IEnumerable<ModelRegistration> All { get; }

    /// <inheritdoc cref="Serving.IServingStates.RefreshAsync"/>
    ValueTask RefreshAsync(string model, CancellationToken cancellationToken);

    /// <summary>Replaces a model's registration.</summary>
    void Publish(ModelRegistration registration);

    /// <summary>Forgets a model.</summary>
    void Remove(string model);
}
