using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Settings;

namespace Cluster.Grains.Repository;

/// <summary>Keeps a model's last registration, so that an unchanged model stays the same instance.</summary>
internal sealed class ModelTracker(string name)
{
    private ModelDefinition? _definition;

    /// <summary>What was reported last; null at first.</summary>
    public ModelRegistration? Last { get; private set; }

    /// <summary>The registration of the found versions.</summary>
    /// <param name="versions">Ascending.</param>
    /// <param name="definition">The same instance as last time if nothing changed.</param>
    /// <param name="problem">Goes before the definition's own problem; null for none.</param>
    public ModelRegistration Report(ImmutableArray<ModelVersionSource> versions, ModelDefinition definition, string? problem = null)
    {
        problem ??= definition.Problem ?? WithoutVersion(versions);
        if (Last is { } last
            && last.Problem == problem
            && ReferenceEquals(_definition, definition)
            && last.Versions.AsSpan().SequenceEqual(versions.AsSpan()))
        {
            return last;
        }

        _definition = definition;
        return Last = new ModelRegistration
        {
            Name = name,
            Versions = versions,
            VersionPolicy = definition.Policy,
            Settings = definition.Settings,
            SettingsRevision = definition.CopyRevision,
            Problem = problem,
        };
    }

    /// <summary>For a folder that cannot be read now: the last finding, with the reason.</summary>
    public ModelRegistration Keep(string problem) => Report(Last?.Versions ?? [], _definition ?? ModelDefinition.Default, problem);

    private static string? WithoutVersion(ImmutableArray<ModelVersionSource> versions)
    {
        if (versions.IsEmpty)
        {
            return "there is no version folder (a positive number without leading zeros)";
        }

        return versions.All(version => version.Problem is not null)
            ? $"no version can be loaded: {string.Join("; ", versions.Select(version => version.Problem))}"
            : null;
    }
}

/// <summary>What in a model's folder is no version.</summary>
internal static class SkippedEntries
{
    private const int MaxShown = 5;

    public static string Describe(string model, List<string> names)
    {
        var shown = string.Join(", ", names.Take(MaxShown).Select(name => JsonSerializer.Serialize(name)));
        var more = names.Count > MaxShown ? $" and {names.Count - MaxShown} more" : "";
        return $"model '{model}': ignored in its folder, versions are positive numbers without leading zeros: {shown}{more}";
    }
}

/// <summary>Versions that a model's policy names and its folder does not have.</summary>
internal static class MissingVersions
{
    private const int MaxShown = 5;

    /// <summary>Adds a warning if there are any; a model with a problem has that to tell.</summary>
    /// <returns>The model.</returns>
    public static ModelRegistration Warn(ModelRegistration model, List<string> warnings)
    {
        var missing = model.Problem is null && model.VersionPolicy.Kind == VersionPolicyKind.Specific
            ? model.VersionPolicy.Versions.Except(model.Versions.Select(static source => source.Version)).ToList()
            : [];
        if (missing.Count > 0)
        {
            var shown = string.Join(", ", missing.Take(MaxShown).Select(static version => version.ToString(CultureInfo.InvariantCulture)));
            var more = missing.Count > MaxShown ? $" and {missing.Count - MaxShown} more" : "";
            warnings.Add(missing.Count == 1
                ? $"model '{model.Name}': its version policy names version {shown}, which is not there"
                : $"model '{model.Name}': its version policy names versions {shown}{more}, which are not there");
        }

        return model;
    }
}
