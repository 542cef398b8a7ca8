using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Settings;
using Cluster.Grains.Repository.Versions;

namespace Cluster.Grains.Objects;

/// <summary>One model of an object store, from listing to listing.</summary>
/// <param name="address">The model's folder.</param>
/// <param name="definition">Settings that go before those of its model.json; null for none.</param>
internal sealed class ObjectModel(string name, ObjectAddress address, TimeProvider clock, ModelDefinition? definition = null)
{
    private readonly ModelTracker _tracker = new(name);
    private readonly Dictionary<long, VersionTracker> _versions = [];
    private ModelDefinition _settings = ModelDefinition.Default;
    private string? _settingsTag;

    /// <summary>What it holds now; the same instance as last time if nothing changed.</summary>
    /// <param name="objects">With keys relative to the model's folder.</param>
    /// <param name="settings">Content of its model.json; null where there is none.</param>
    /// <param name="warnings">Gets a text for each ignored and each missing object.</param>
    public ModelRegistration Update(IReadOnlyList<StoredObject> objects, SettingsObject? settings, List<string> warnings)
    {
        var byVersion = new SortedDictionary<long, List<StoredObject>>();
        var skipped = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var item in objects)
        {
            var slash = item.Key.IndexOf('/');
            var first = slash < 0 ? item.Key : item.Key[..slash];
            if (slash > 0 && VersionScanner.TryParse(first, out var version))
            {
                if (!byVersion.TryGetValue(version, out var items))
                {
                    byVersion.Add(version, items = []);
                }

                items.Add(item with { Key = item.Key[(slash + 1)..] });
            }
            else if (!Folder.IsHidden(first) && item.Key != SettingsFile.Name)
            {
                skipped.Add(first);
            }
        }

        if (skipped.Count > 0)
        {
            warnings.Add(SkippedEntries.Describe(name, [.. skipped]));
        }

        foreach (var gone in _versions.Keys.Except(byVersion.Keys).ToList())
        {
            _versions.Remove(gone);
        }

        return MissingVersions.Warn(
            Report([.. byVersion.Select(version => Track(version.Key, VersionObjects.Folder(address.Below(VersionName(version.Key)), version.Value, VersionName(version.Key))))], settings),
            warnings);
    }

    /// <summary>As <see cref="Update"/>, of a model with the listed objects as its only version.</summary>
    public ModelRegistration UpdateOnly(VersionListing listing, SettingsObject? settings) => Report([Track(1, listing)], settings);

    /// <summary>There is nothing to serve.</summary>
    public ModelRegistration Break(string problem) => _tracker.Report([], definition ?? ModelDefinition.Default, problem);

    private static string VersionName(long version) => version.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private ModelRegistration Report(ImmutableArray<ModelVersionSource> versions, SettingsObject? settings) => _tracker.Report(versions, definition ?? Read(settings));

    private ModelVersionSource Track(long version, VersionListing listing)
    {
        if (!_versions.TryGetValue(version, out var tracker))
        {
            _versions.Add(version, tracker = new VersionTracker(version, clock, revisionOf: VersionObjects.Revision));
        }

        return tracker.Update(listing);
    }

    /// <summary>After an error the last good settings with the problem.</summary>
    private ModelDefinition Read(SettingsObject? settings)
    {
        if (settings is null)
        {
            _settingsTag = null;
            return _settings = _settings == ModelDefinition.Default ? _settings : ModelDefinition.Default;
        }

        if (settings.ETag == _settingsTag)
        {
            return _settings;
        }

        _settingsTag = settings.ETag;
        var errors = new JsonErrors();
        var read = settings.Problem is null ? ModelSettingsReader.Read(settings.Content, errors) : null;
        if (read is null)
        {
            return _settings = _settings with { Problem = settings.Problem ?? $"{SettingsFile.Name}: {errors}" };
        }

        return _settings = read.Revision != _settings.Revision || _settings.Problem is not null ? read : _settings;
    }
}

/// <summary>A model.json of an object store.</summary>
/// <param name="ETag">Of the object.</param>
/// <param name="Content">Empty with a problem.</param>
/// <param name="Problem">Why it was not read; null if it was.</param>
internal sealed record SettingsObject(string ETag, byte[] Content, string? Problem = null)
{
    private const int MaxSize = 1024 * 1024;

    /// <summary>Reads it, unless it is too large.</summary>
    /// <exception cref="ObjectStoreException">The store is away, or it has changed.</exception>
    public static async Task<SettingsObject> ReadAsync(ObjectReader reader, StorageSource source, ObjectAddress model, StoredObject item, CancellationToken cancellationToken) =>
        item.Size > MaxSize
            ? new SettingsObject(item.ETag, [], $"'{SettingsFile.Name}' is larger than {MaxSize} bytes")
            : new SettingsObject(item.ETag, await reader.ReadAsync(source, model.Below(SettingsFile.Name), item, cancellationToken).ConfigureAwait(false));
}
