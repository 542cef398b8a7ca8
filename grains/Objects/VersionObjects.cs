using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Versions;

namespace Cluster.Grains.Objects;

/// <summary>The objects that belong to a version, by the rules of <see cref="VersionFolder"/>: all below its prefix but hidden ones. Pure.</summary>
internal static class VersionObjects
{
    /// <summary>Stands between an object's address and its ETag; no key that is read has it.</summary>
    private const char Separator = '\n';

    /// <param name="folder">The version's address.</param>
    /// <param name="objects">With keys relative to it.</param>
    /// <param name="label">What to call it in a problem.</param>
    public static VersionListing Folder(ObjectAddress folder, IEnumerable<StoredObject> objects, string label)
    {
        var files = new SortedDictionary<string, VersionFile>(StringComparer.Ordinal);
        foreach (var item in objects)
        {
            if (ObjectKeys.ProblemOf(item.Key) is { } problem)
            {
                return Refused($"a key in '{label}' {problem}: {ObjectKeys.Quote(item.Key)}");
            }

            if (item.Key.Count(static letter => letter == '/') > VersionFolder.MaxDepth)
            {
                return Refused($"'{label}/{item.Key}' is more than {VersionFolder.MaxDepth} folders deep");
            }

            if (!item.Key.Split('/').Any(Repository.Files.Folder.IsHidden))
            {
                files[item.Key] = FileOf(folder.Below(item.Key), item.Key, item);
            }
        }

        if (files.Count > VersionFolder.MaxEntries)
        {
            return Refused($"'{label}' holds more than {VersionFolder.MaxEntries} files");
        }

        if (files.Keys.SelectMany(Parents).FirstOrDefault(files.ContainsKey) is { } both)
        {
            return Refused($"'{label}/{both}' is both an object and a prefix of others, which no folder can hold");
        }

        var (graph, missing) = VersionGraph.Choose(files.Keys, label);
        return graph is null ? Refused(missing!) : new VersionListing([.. files.Values], folder.Below(graph).ToString(), null);
    }

    /// <summary>A model that is a single object.</summary>
    public static VersionListing Single(ObjectAddress address, StoredObject item)
    {
        var file = FileOf(address, address.Name, item);
        return VersionListing.OfFile(address.ToString(), file.Stat) with { Files = [file] };
    }

    /// <summary>A fingerprint of addresses, sizes and ETags: other content has another one. 64 hexadecimal digits, that are no hash of contents.</summary>
    public static string Revision(ImmutableArray<VersionFile> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[sizeof(long)];
        foreach (var file in files)
        {
            var text = Encoding.UTF8.GetBytes(file.RealPath);
            BinaryPrimitives.WriteInt64LittleEndian(number, text.Length);
            hash.AppendData(number);
            hash.AppendData(text);
            BinaryPrimitives.WriteInt64LittleEndian(number, file.Stat.Size);
            hash.AppendData(number);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The ETag of a file of a listing.</summary>
    public static string ETagOf(VersionFile file) => file.RealPath[(file.RealPath.LastIndexOf(Separator) + 1)..];

    private static VersionListing Refused(string problem) => new([], "", problem);

    /// <summary>Stands for an object where files do: its real path has the ETag too, so that other content is another file.</summary>
    private static VersionFile FileOf(ObjectAddress address, string name, StoredObject item) =>
        new(name, $"{address}{Separator}{item.ETag}", new FileStat(FileKind.Regular, item.Size, 0, 0, 0, 0));

    private static IEnumerable<string> Parents(string key)
    {
        for (var slash = key.LastIndexOf('/'); slash > 0; slash = key.LastIndexOf('/', slash - 1))
        {
            yield return key[..slash];
        }
    }
}

/// <summary>Lists one version.</summary>
internal static class VersionListings
{
    /// <summary>Marks of folders and hidden objects count too.</summary>
    private const int MaxObjects = 2 * VersionFolder.MaxEntries;

    /// <param name="address">Its folder, or the object that it is.</param>
    /// <returns>Null where there is no such object.</returns>
    /// <exception cref="ObjectStoreException">It cannot be listed.</exception>
    public static async Task<VersionListing?> ReadAsync(ObjectReader reader, StorageSource source, ObjectAddress address, bool isSingle, CancellationToken cancellationToken)
    {
        if (!isSingle)
        {
            return VersionObjects.Folder(address, await reader.ListAsync(source, address, address.Prefix, MaxObjects, cancellationToken).ConfigureAwait(false), address.Name);
        }

        var parent = address.Parent;
        var found = await reader.ListAsync(source, parent, address.Key, MaxObjects, cancellationToken).ConfigureAwait(false);
        return found.FirstOrDefault(item => item.Key == address.Name) is { Key: not null } item ? VersionObjects.Single(address, item) : null;
    }
}
