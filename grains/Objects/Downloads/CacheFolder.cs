using System.Globalization;
using Cluster.Grains.Repository.Files;

namespace Cluster.Grains.Objects.Downloads;

/// <summary>
/// The folder of this process for files from object storage. It is the first numbered one in the configured folder that no other process holds. A process that starts
/// again finds its files.
/// <code>
/// 0/lock                       held as long as the process is
/// 0/listing-….json             what was listed last of a repository
/// 0/versions/KEY/version.json  sizes, ETags and SHA-256 of a whole version
/// 0/versions/KEY/3/…           its files, in a folder of the version's name
/// 0/loading/KEY/…              a version that is not whole; its parts go on after a restart
/// </code>
/// </summary>
internal sealed class CacheFolder : IDisposable
{
    private const string DefaultName = "cluster-storage-cache";
    private const int MaxProcesses = 1000;

    private readonly Lazy<(string Path, FileStream Held)> _held;

    public CacheFolder(ObjectStorageOptions options) =>
        _held = new(() => Hold(options.Cache ?? Path.Combine(Path.GetTempPath(), DefaultName)), LazyThreadSafetyMode.PublicationOnly);

    /// <exception cref="IOException">It cannot be made, or is not this user's own.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be made.</exception>
    public string Root => _held.Value.Path;

    public string Versions => Path.Combine(Root, "versions");

    public string Loading => Path.Combine(Root, "loading");

    /// <summary>Replaces a file in one step, so that there is the former or the new one after any end of the process.</summary>
    public void WriteWhole(string name, ReadOnlySpan<byte> content) => WriteWholeTo(Path.Combine(Root, name), content);

    /// <inheritdoc cref="WriteWhole"/>
    public static void WriteWholeTo(string path, ReadOnlySpan<byte> content)
    {
        var unfinished = path + ".new";
        using (var file = File.OpenHandle(unfinished, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, content, 0);
            RandomAccess.FlushToDisk(file);
        }

        File.Move(unfinished, path, overwrite: true);
    }

    public byte[] ReadWhole(string name) => File.ReadAllBytes(Path.Combine(Root, name));

    public void Dispose()
    {
        if (_held.IsValueCreated)
        {
            _held.Value.Held.Dispose();
        }
    }

    private static (string Path, FileStream Held) Hold(string root)
    {
        OwnFolder.Make(root);
        for (var number = 0; number < MaxProcesses; number++)
        {
            var folder = Path.Combine(root, number.ToString(CultureInfo.InvariantCulture));
            OwnFolder.Make(folder);
            if (TryLock(Path.Combine(folder, "lock")) is { } held)
            {
                OwnFolder.Make(Path.Combine(folder, "versions"));
                OwnFolder.Make(Path.Combine(folder, "loading"));
                return (folder, held);
            }
        }

        throw new IOException($"the cache of object storage is in use by {MaxProcesses} processes");
    }

    private static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }
}
