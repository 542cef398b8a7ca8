using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

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

/// <summary>One version of a model as the repository holds it.</summary>
/// <param name="Version">The folder's number, at least 1.</param>
/// <param name="Path">Absolute path of the .onnx file; empty where <paramref name="Problem"/> is set.</param>
/// <param name="Revision">
/// Fingerprint of everything in the version's folder: another revision of the same version is other content, to be loaded anew.
/// </param>
/// <param name="Problem">Why this version cannot be loaded at all (no .onnx file, a link out of the repository…), or null.</param>
[GenerateSerializer, Immutable, Alias("model-version-source")]
public sealed record ModelVersionSource(
    [property: Id(0)] long Version,
    [property: Id(1)] string Path,
    [property: Id(2)] string Revision,
    [property: Id(3)] string? Problem = null)
{
    /// <summary>Size of everything in the version's folder in bytes, of what links lead to; 0 where <see cref="Problem"/> is set.</summary>
    [Id(4)]
    public long Bytes { get; init; }

    /// <summary>Whether the .onnx file is the whole version, without what stands beside it.</summary>
    [Id(5)]
    public bool IsSingleFile { get; init; }

    /// <summary>Whether the model's settings are the operator's own word, not a file beside the model: then no signature has to vouch for them.</summary>
    [Id(6)]
    public bool HasOperatorSettings { get; init; }
}

/// <summary>How many replicas of a version in memory there are to be, in place of what its model's settings say.</summary>
/// <param name="Least">1 to 1000; null for what the settings say.</param>
/// <param name="Most">0 to 1000, 0 for as many as there are silos; null for what the settings say.</param>
[GenerateSerializer, Immutable, Alias("replica-bounds")]
public sealed record ReplicaBounds([property: Id(0)] int? Least, [property: Id(1)] int? Most)
{
    /// <summary>As many as a bound of a model's settings can be.</summary>
    public const int Largest = 1000;

    /// <summary>What is wrong with the numbers, or null.</summary>
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
