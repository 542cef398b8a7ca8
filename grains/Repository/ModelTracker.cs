using System.Collections.Immutable;
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
