using System.Collections.Concurrent;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;

namespace Cluster.Grains.Repository.Versions;

/// <summary>Whether this silo's files are those that were registered. The registration comes from another silo, whose folder may hold other content.</summary>
internal interface IContentCheck
{
    /// <summary>Reads stats, and content that is new or changed since the last call. Safe from any thread.</summary>
    /// <returns>Why the version is not to be loaded from these files; null if it may.</returns>
    string? ProblemOf(ModelVersionSource source);
}

/// <inheritdoc cref="IContentCheck"/>
internal sealed class ContentCheck(TimeProvider clock) : IContentCheck
{
    /// <summary>Some 300 bytes each; with more, content is read anew.</summary>
    private const int MaxKnown = 20_000;

    private readonly ConcurrentDictionary<string, ContentHash> _known = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string? ProblemOf(ModelVersionSource source)
    {
        try
        {
            return Read(source) is { Problem: { } problem } ? problem : null;
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return $"the files of version {source.Version} cannot be read: {IoReason.Of(exception)}";
        }
    }

    private VersionListing Read(ModelVersionSource source)
    {
        var listing = List(source);
        if (listing.Problem is not null)
        {
            return listing;
        }

        if (_known.Count >= MaxKnown)
        {
            _known.Clear();
        }

        var now = clock.GetUtcNow();
        var hash = _known.GetOrAdd(source.Path, static _ => new ContentHash());
        lock (hash)
        {
            var revision = hash.Compute(listing.Files, forget: listing.Files.Any(file => file.Stat.IsFresh(now)));
            return revision == source.Revision
                ? listing
                : listing with { Problem = $"this silo's files are not those that were registered: their SHA-256 is {Short(revision)}, not {Short(source.Revision)}" };
        }
    }

    /// <summary>What is there now. That nothing leads out of the repository, the registration says, and equal content is equal wherever it is.</summary>
    private static VersionListing List(ModelVersionSource source)
    {
        if (source.IsSingleFile)
        {
            return FileStat.Read(source.Path, followLinks: true) is { Kind: FileKind.Regular } stat
                ? VersionListing.OfFile(source.Path, stat)
                : new VersionListing([], "", $"there is no file '{Path.GetFileName(source.Path)}'");
        }

        var folder = RealPath.Resolve(Path.GetDirectoryName(source.Path)!);
        return VersionFolder.Read(Path.GetPathRoot(folder)!, folder, Path.GetFileName(folder));
    }

    private static string Short(string revision) => revision.Length > 12 ? $"{revision[..12]}…" : revision;
}
