using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Settings;
using Cluster.Grains.Repository.Versions;

namespace Cluster.Grains.Repository;

/// <summary>A folder of models, each with its versions and, if wanted, a model.json.</summary>
internal sealed class FolderSource(string path, TimeProvider clock) : IModelSource
{
    /// <summary>What mkfs puts into every new volume, readable for root alone.</summary>
    private const string RecoveryFolder = "lost+found";

    private readonly RepositoryRoot _root = new(path);
    private Dictionary<string, Model> _models = [];
    private SourceScan? _last;

    /// <exception cref="RepositoryConfigurationException">The first scan finds no such folder, or may not read it.</exception>
    public SourceScan Scan()
    {
        if (_root.Open(out var problem) is not { } root)
        {
            // A mount that is away for a moment must not unload every model.
            return _last is { } last
                ? last with { Problems = [$"models: {problem}; the models known before stay"] }
                : throw new RepositoryConfigurationException($"models: {problem}");
        }

        var problems = new List<string>();
        var warnings = new List<string>();
        var models = new Dictionary<string, Model>(_models.Count);
        var registrations = ImmutableArray.CreateBuilder<ModelRegistration>(root.Names.Count);
        foreach (var name in root.Names.Where(name => !Folder.IsHidden(name) && name != RecoveryFolder))
        {
            if (ModelName.ProblemOf(name) is { } badName)
            {
                problems.Add(badName);
                continue;
            }

            var model = _models.GetValueOrDefault(name) ?? new Model(name, clock);
            if (ScanModel(root.RealPath, model, warnings) is { } registration)
            {
                models.Add(name, model);
                registrations.Add(registration);
            }
        }

        _models = models;
        return _last = new SourceScan(registrations.DrainToImmutable(), [.. problems], [.. warnings]);
    }

    /// <summary>Looks at one model alone.</summary>
    public SourceScan Scan(string name)
    {
        if (_last is not { } last || _root.Open(out _) is not { } root || Folder.IsHidden(name) || name == RecoveryFolder || ModelName.ProblemOf(name) is not null)
        {
            return Scan();
        }

        var model = _models.GetValueOrDefault(name) ?? new Model(name, clock);
        model.ReadAgain();
        var others = last.Models.RemoveAll(registration => registration.Name == name);
        if (ScanModel(root.RealPath, model, []) is not { } found)
        {
            _models.Remove(name);
            return _last = last with { Models = others };
        }

        _models[name] = model;
        return _last = last with { Models = others.Add(found) };
    }

    private static ModelRegistration? ScanModel(string root, Model model, List<string> warnings)
    {
        try
        {
            return Located.Find(root, root, model.Name, model.Name) switch
            {
                null => null,
                { Problem: { } problem } => model.Tracker.Report([], ModelDefinition.Default, problem),
                { Stat.Kind: FileKind.Directory } folder => ScanFolder(root, folder, model, warnings),
                _ => WarnOfFile(model.Name, warnings),
            };
        }
        catch (DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return model.Tracker.Keep($"the model's folder cannot be read: {IoReason.Of(exception)}");
        }
    }

    private static ModelRegistration ScanFolder(string root, Located folder, Model model, List<string> warnings)
    {
        var (versions, skipped) = model.Versions.Scan(root, folder.Path, model.Folder.Names(folder.Path, folder.Stat));
        skipped.Remove(SettingsFile.Name);
        if (skipped.Count > 0)
        {
            warnings.Add(SkippedEntries.Describe(model.Name, skipped));
        }

        return MissingVersions.Warn(model.Tracker.Report(versions, model.Settings.Update(root, folder.Path)), warnings);
    }

    private static ModelRegistration? WarnOfFile(string name, List<string> warnings)
    {
        if (name.EndsWith(".onnx", StringComparison.Ordinal))
        {
            warnings.Add($"'{name}' is ignored: a model file belongs into <model name>/<version>/");
        }

        return null;
    }

    private sealed class Model(string name, TimeProvider clock)
    {
        public string Name => name;

        public ModelTracker Tracker { get; } = new(name);

        public KnownFolder Folder { get; } = new(clock);

        public VersionScanner Versions { get; } = new(clock);

        public SettingsFile Settings { get; } = new(clock);

        /// <summary>A look that was asked for trusts no times.</summary>
        public void ReadAgain()
        {
            Folder.Forget();
            Versions.ReadAgain();
        }
    }
}
