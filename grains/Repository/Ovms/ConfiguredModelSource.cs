using Cluster.Contracts.Models;
using Cluster.Grains.Objects;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Versions;

namespace Cluster.Grains.Repository.Ovms;

/// <summary>One model of the configuration file, from scan to scan.</summary>
/// <param name="objects">Reads addresses of object storage; null where there is none.</param>
internal sealed class ConfiguredModelSource(ConfiguredModel model, TimeProvider clock, RegisteredObjects? objects = null)
{
    private readonly ConfiguredObjects? _objects =
        objects is not null && ObjectAddress.Parse(model.BasePath) is { } address ? new ConfiguredObjects(model.Name, address, objects, clock) : null;

    private readonly ModelTracker _tracker = new(model.Name);
    private readonly RepositoryRoot _root = new(model.BasePath);
    private readonly VersionScanner _versions = new(clock, hasOperatorSettings: true);
    private ConfiguredModel _model = model;

    /// <summary>Takes over new settings.</summary>
    /// <returns>Null if the path is another one, so that nothing known of the files holds.</returns>
    public ConfiguredModelSource? Adopt(ConfiguredModel changed)
    {
        if (changed.BasePath != _model.BasePath)
        {
            return null;
        }

        if (!IsSameDefinition(changed))
        {
            _model = changed;
        }

        return this;
    }

    /// <summary>Lists a remote source.</summary>
    public Task RefreshAsync(CancellationToken cancellationToken) => _objects?.RefreshAsync(cancellationToken) ?? Task.CompletedTask;

    /// <param name="warnings">Gets a text for each ignored and each missing entry of the folder.</param>
    public ModelRegistration Scan(List<string> warnings)
    {
        if (_model.BasePath.Length == 0)
        {
            return _tracker.Report([], _model.Definition);
        }

        if (ObjectAddress.IsAddress(_model.BasePath))
        {
            var (versions, problem) = _objects?.Read() ?? ([], "this process reads no object storage");
            return _tracker.Report(versions, _model.Definition, _model.Definition.Problem ?? problem);
        }

        try
        {
            return ScanFile() ?? ScanFolder(warnings);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return Keep($"the model's folder cannot be read: {IoReason.Of(exception)}");
        }
    }

    private bool IsSameDefinition(ConfiguredModel changed) =>
        changed.Definition.Revision == _model.Definition.Revision && changed.Definition.Problem == _model.Definition.Problem;

    /// <summary>Null if the path is no file.</summary>
    private ModelRegistration? ScanFile()
    {
        var real = RealPath.Resolve(_model.BasePath);
        if (FileStat.Read(real, followLinks: false) is not { Kind: not FileKind.Directory } stat)
        {
            return null;
        }

        return stat.Kind == FileKind.Regular && _model.BasePath.EndsWith(".onnx", StringComparison.Ordinal)
            ? _tracker.Report([_versions.ScanFile(real, stat)], _model.Definition)
            : _tracker.Report([], _model.Definition, "'base_path' is a file, but no .onnx file");
    }

    private ModelRegistration ScanFolder(List<string> warnings)
    {
        if (_root.Open(out var problem) is not { } root)
        {
            return Keep(problem!);
        }

        var (versions, skipped) = _versions.Scan(root.RealPath, root.RealPath, root.Names);
        if (skipped.Count > 0)
        {
            warnings.Add(SkippedEntries.Describe(_model.Name, skipped));
        }

        return MissingVersions.Warn(_tracker.Report(versions, _model.Definition), warnings);
    }

    private ModelRegistration Keep(string problem) =>
        _tracker.Report(_tracker.Last?.Versions ?? [], _model.Definition, _model.Definition.Problem ?? problem);
}
