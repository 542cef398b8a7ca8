using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;

namespace Cluster.Grains.Repository.Versions;

/// <summary>
/// Follows one version from scan to scan. Content is read only when a stat changed. The first change is reported at once. While
/// further scans find further changes, a writer is still at work, and the next report waits for a scan that finds none. So a
/// finished file is reported by the scan that finds it, and a long copy is read twice instead of once a scan.
/// </summary>
/// <param name="revisionOf">Makes a revision of a listing without reading files. Null: the revision is of the files' contents.</param>
internal sealed class VersionTracker(long version, TimeProvider clock, bool hasOperatorSettings = false, Func<ImmutableArray<VersionFile>, string>? revisionOf = null)
{
    private readonly ContentHash _hash = new();
    private readonly KnownFolder _folder = new(clock);
    private ImmutableArray<VersionFile> _files = [];
    private ModelVersionSource? _reported;
    private bool _changedLastTime;
    private bool _readAgain;

    /// <summary>The source for the present files of the version's folder.</summary>
    /// <inheritdoc cref="VersionFolder.Read(string, Located, string, KnownFolder)"/>
    public ModelVersionSource Look(string root, Located folder, string label) => Update(VersionFolder.Read(root, folder, label, _folder));

    /// <summary>Has the next look read the folder, though its times may be the same.</summary>
    public void ReadAgain() => _folder.Forget();

    /// <summary>The source to report; the same instance as last time unless something changed.</summary>
    public ModelVersionSource Update(VersionListing listing)
    {
        if (listing.Problem is { } problem)
        {
            _files = [];
            _changedLastTime = false;
            return Report(listing, "", problem);
        }

        if (_reported is not null && _files.AsSpan().SequenceEqual(listing.Files.AsSpan()))
        {
            _changedLastTime = false;
            return _readAgain ? Read(listing, again: true) : _reported;
        }

        _files = listing.Files;
        if (_changedLastTime && _reported is { } held)
        {
            _readAgain = true;
            return held;
        }

        // Files that were there before this process count as finished.
        var isFirst = _reported is null;
        var source = Read(listing, again: false);
        _changedLastTime = !isFirst || _readAgain;
        return source;
    }

    private ModelVersionSource Read(VersionListing listing, bool again)
    {
        // A write right after this read could leave the stat as it is. So a fresh file is read a second time when it has rested.
        // Once only: a time stamp from the future would otherwise have the file read by every scan.
        var now = clock.GetUtcNow();
        _readAgain = !again && listing.Files.Any(file => file.Stat.IsFresh(now));
        try
        {
            return Report(listing, revisionOf?.Invoke(listing.Files) ?? _hash.Compute(listing.Files, forget: again), null);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            _readAgain = true;
            return Report(listing, "", $"the files of version {version} cannot be read: {IoReason.Of(exception)}");
        }
    }

    private ModelVersionSource Report(VersionListing listing, string revision, string? problem)
    {
        var source = problem is null
            ? new ModelVersionSource(version, listing.GraphPath, revision)
            {
                Bytes = listing.Files.Sum(file => file.Stat.Size),
                IsSingleFile = listing.IsSingleFile,
                HasOperatorSettings = hasOperatorSettings,
            }
            : new ModelVersionSource(version, "", revision, problem);
        return _reported = source == _reported ? _reported : source;
    }
}
