using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Trust;

namespace Cluster.Grains.Repository.Versions;

/// <summary>The revision of a set of files: SHA-256 over names and contents. Remembers the hash of each file while its stat stays.</summary>
internal sealed class ContentHash
{
    private const int BufferSize = 256 * 1024;

    private Dictionary<string, (FileStat Stat, byte[] Hash)> _known = [];

    /// <param name="files">In an order that depends on the names alone.</param>
    /// <param name="forget">Read every file again, even if its stat is unchanged.</param>
    /// <param name="read">Hashes by name of files that the caller has read; null for none.</param>
    /// <returns>64 hexadecimal digits.</returns>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    public string Compute(ImmutableArray<VersionFile> files, bool forget, IReadOnlyDictionary<string, byte[]>? read = null)
    {
        var current = new Dictionary<string, (FileStat Stat, byte[] Hash)>(files.Length);
        using var total = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> zero = [0];
        foreach (var file in files)
        {
            // What a caller has read may be of another moment than the stat, so it is not remembered.
            var hash = read?.GetValueOrDefault(file.Name) ?? Remember(file, forget, current);

            // A name has no zero byte and a hash has a fixed length, so no two sets of files give the same bytes.
            total.AppendData(Encoding.UTF8.GetBytes(file.Name));
            total.AppendData(zero);
            total.AppendData(hash);
        }

        _known = current;
        return Convert.ToHexStringLower(total.GetHashAndReset());
    }

    private byte[] Remember(VersionFile file, bool forget, Dictionary<string, (FileStat Stat, byte[] Hash)> current)
    {
        var hash = !forget && _known.TryGetValue(file.RealPath, out var entry) && entry.Stat == file.Stat ? entry.Hash : HashFile(file.RealPath);
        current[file.RealPath] = (file.Stat, hash);
        return hash;
    }

    private static byte[] HashFile(string path)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using var file = CheckedFile.Open(path);
            long offset = 0;
            while (RandomAccess.Read(file, buffer, offset) is var read and > 0)
            {
                hash.AppendData(buffer, 0, read);
                offset += read;
            }

            return hash.GetHashAndReset();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

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
