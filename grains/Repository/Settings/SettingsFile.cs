using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Json;

namespace Cluster.Grains.Repository.Settings;

/// <summary>Follows one model's model.json from scan to scan; it is read only when its stat changed.</summary>
internal sealed class SettingsFile(TimeProvider clock)
{
    public const string Name = "model.json";
    private const int MaxSize = 1024 * 1024;

    private FileStat? _stat;
    private bool _readAgain;
    private ModelDefinition _current = ModelDefinition.Default;

    /// <summary>
    /// What the file says, or the defaults if there is none. After an error the last good settings with the problem: the same
    /// instance as last time unless something changed.
    /// </summary>
    /// <param name="root">Real path of what nothing may lead out of.</param>
    /// <param name="folder">Real path of the model's folder, inside <paramref name="root"/>.</param>
    public ModelDefinition Update(string root, string folder)
    {
        try
        {
            return Located.Find(root, folder, Name, Name) switch
            {
                null => Reset(),
                { Problem: { } problem } => Keep(problem),
                { Stat.Kind: not FileKind.Regular } => Keep($"'{Name}' is not a file"),
                { Stat.Size: > MaxSize } => Keep($"'{Name}' is larger than {MaxSize} bytes"),
                { } found => Read(found),
            };
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return Keep($"'{Name}' cannot be read: {IoReason.Of(exception)}");
        }
    }

    private ModelDefinition Reset()
    {
        _stat = null;
        return _current = _current == ModelDefinition.Default ? _current : ModelDefinition.Default;
    }

    private ModelDefinition Keep(string problem)
    {
        _stat = null;
        return _current = _current.Problem == problem ? _current : _current with { Problem = problem };
    }

    private ModelDefinition Read(Located found)
    {
        if (found.Stat == _stat && !_readAgain)
        {
            return _current;
        }

        var again = found.Stat == _stat;
        var errors = new JsonErrors();
        var definition = ModelSettingsReader.Read(File.ReadAllBytes(found.Path), errors);
        if (definition is null)
        {
            Keep($"{Name}: {errors}");
        }
        else if (definition.Revision != _current.Revision || _current.Problem is not null)
        {
            _current = definition;
        }

        // See VersionTracker: a fresh file may change once more without a sign.
        _readAgain = !again && found.Stat.IsFresh(clock.GetUtcNow());
        _stat = found.Stat;
        return _current;
    }
}

/// <summary>How a model is to be served, apart from its files.</summary>
/// <param name="Policy">Which versions.</param>
/// <param name="Settings">How they are loaded and run.</param>
/// <param name="Revision">Fingerprint of both.</param>
/// <param name="CopyRevision">See <see cref="ModelRegistration.SettingsRevision"/>.</param>
/// <param name="Problem">Why the settings are not those that were asked for, or null.</param>
internal sealed record ModelDefinition(VersionPolicy Policy, ModelSettings Settings, string Revision, string CopyRevision, string? Problem)
{
    public static ModelDefinition Default { get; } = Of(VersionPolicy.LatestOne, ModelSettings.Default);

    public static ModelDefinition Of(VersionPolicy policy, ModelSettings settings, string? problem = null) =>
        new(policy, settings, SettingsRevision.Of(policy, settings), SettingsRevision.OfCopy(settings), problem);
}
