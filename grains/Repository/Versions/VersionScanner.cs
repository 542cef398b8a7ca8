using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;

namespace Cluster.Grains.Repository.Versions;

/// <summary>The versions of one model, from scan to scan.</summary>
/// <param name="hasOperatorSettings">See <see cref="ModelVersionSource.HasOperatorSettings"/>.</param>
internal sealed class VersionScanner(TimeProvider clock, bool hasOperatorSettings = false)
{
    private readonly Dictionary<long, VersionTracker> _trackers = [];

    /// <summary>Every version in the folder, ascending, and the visible entries that are none.</summary>
    /// <param name="root">Real path of what nothing may lead out of.</param>
    /// <param name="folder">Real path of the model's folder, inside <paramref name="root"/>.</param>
    /// <param name="names">What is in the folder.</param>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be read.</exception>
    public (ImmutableArray<ModelVersionSource> Versions, List<string> Skipped) Scan(string root, string folder, List<string> names)
    {
        var versions = new List<ModelVersionSource>();
        var skipped = new List<string>();
        foreach (var name in names.Where(name => !Folder.IsHidden(name)))
        {
            if (TryParse(name, out var version) && ScanVersion(root, folder, name, version) is { } source)
            {
                versions.Add(source);
            }
            else
            {
                skipped.Add(name);
            }
        }

        versions.Sort((left, right) => left.Version.CompareTo(right.Version));
        Forget(versions);
        return ([.. versions], skipped);
    }

    /// <summary>The one version of a model that is a single file.</summary>
    public ModelVersionSource ScanFile(string path, FileStat stat) =>
        Tracker(1).Update(VersionListing.OfFile(path, stat));

    /// <summary>Has the next scan read the folders that it would take to be unchanged.</summary>
    public void ReadAgain()
    {
        foreach (var tracker in _trackers.Values)
        {
            tracker.ReadAgain();
        }
    }

    /// <summary>A positive number as the folder's whole name, without leading zeros.</summary>
    public static bool TryParse(string name, out long version) =>
        long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out version) && name[0] != '0';

    private ModelVersionSource? ScanVersion(string root, string folder, string name, long version)
    {
        if (Located.Find(root, folder, name, name) is not { } entry)
        {
            return null;
        }

        if (entry.Problem is not null)
        {
            return Tracker(version).Update(new VersionListing([], "", entry.Problem));
        }

        return entry.Stat.Kind == FileKind.Directory
            ? Tracker(version).Look(root, entry, name)
            : null;
    }

    private VersionTracker Tracker(long version)
    {
        if (!_trackers.TryGetValue(version, out var tracker))
        {
            tracker = new VersionTracker(version, clock, hasOperatorSettings);
            _trackers.Add(version, tracker);
        }

        return tracker;
    }

    private void Forget(List<ModelVersionSource> present)
    {
        if (_trackers.Count == present.Count)
        {
            return;
        }

        foreach (var gone in _trackers.Keys.Except(present.Select(source => source.Version)).ToList())
        {
            _trackers.Remove(gone);
        }
    }
}
