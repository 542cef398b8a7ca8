using System.Collections.Concurrent;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;

namespace Cluster.Grains.Repository.Versions;

/// <summary>Whether this silo's files are those that were registered. The registration comes from another silo, whose folder may hold other content.</summary>
internal interface IContentCheck
{
    /// <summary>Reads content that is new or changed since the last call, except content that the caller has read. Safe from any thread.</summary>
    /// <param name="listing">What there is.</param>
    /// <param name="read">SHA-256 of the files that are about to be loaded, by name, over the very bytes.</param>
    /// <returns>Why the version is not to be loaded from these files; null if it may.</returns>
    string? ProblemOf(ModelVersionSource source, VersionListing listing, IReadOnlyDictionary<string, byte[]> read);
}

/// <inheritdoc cref="IContentCheck"/>
internal sealed class ContentCheck(TimeProvider clock) : IContentCheck
{
    /// <summary>Some 300 bytes each. With more versions, content is read again.</summary>
    private const int MaxKnown = 20_000;

    private readonly ConcurrentDictionary<string, ContentHash> _known = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string? ProblemOf(ModelVersionSource source, VersionListing listing, IReadOnlyDictionary<string, byte[]> read)
    {
        try
        {
            return Compare(source, listing, read);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return $"the files of version {source.Version} cannot be read: {IoReason.Of(exception)}";
        }
    }

    private string? Compare(ModelVersionSource source, VersionListing listing, IReadOnlyDictionary<string, byte[]> read)
    {
        if (_known.Count >= MaxKnown)
        {
            _known.Clear();
        }

        var now = clock.GetUtcNow();
        var hash = _known.GetOrAdd(source.Path, static _ => new ContentHash());
        lock (hash)
        {
            var revision = hash.Compute(listing.Files, forget: listing.Files.Any(file => file.Stat.IsFresh(now)), read);
            return revision == source.Revision
                ? null
                : $"this silo's files are not those that were registered: their SHA-256 is {Short(revision)}, not {Short(source.Revision)}";
        }
    }

    private static string Short(string revision) => revision.Length > 12 ? $"{revision[..12]}…" : revision;
}
