using Cluster.Contracts.Errors;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Trust;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Objects.Downloads;

/// <summary>
/// Accounts for versions on the silo's disk. Held versions stay. Of the others the longest unused go when another needs their room. Safe from any thread.
/// </summary>
internal sealed class ObjectCache(CacheFolder folder, ObjectStorageOptions options, ObjectMetrics metrics, TimeProvider time, ILogger<ObjectCache> logger)
{
    private const string Gone = ".gone";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, CachedVersion> _entries = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isOpen;

    private long Limit => (long)options.CacheMiB << 20;

    /// <summary>Holds a whole version until it is given back; null if there is none, or its files are not those that were recorded.</summary>
    /// <exception cref="IOException">The cache cannot be opened.</exception>
    public HeldVersion? TryHold(string key)
    {
        lock (_lock)
        {
            Open();
            if (_entries.GetValueOrDefault(key) is not { Record: { } record } entry)
            {
                return null;
            }

            var path = Path.Combine(folder.Versions, key);
            if (!IsWhole(path, record))
            {
                DropLocked(key, entry);
                return null;
            }

            entry.Holds++;
            entry.LastUsed = time.GetUtcNow();
            Stamp(path, entry.LastUsed);
            return new HeldVersion(key, record, Path.Combine(path, record.Folder), entry);
        }
    }

    /// <summary>Waits for room for a download, which then is held.</summary>
    /// <returns>The room with the folder in which the version is made. Files of an earlier download are still in it.</returns>
    /// <exception cref="ServingException">The version is larger than the cache may be.</exception>
    /// <exception cref="IOException">The cache cannot be opened.</exception>
    public async Task<CacheRoom> ReserveAsync(string key, string address, long bytes, CancellationToken cancellationToken)
    {
        if (bytes > Limit)
        {
            throw Refusal.Of($"its files have {bytes} bytes, and the cache of object storage may take {Limit}: ObjectStorage:{nameof(ObjectStorageOptions.CacheMiB)} allows no more");
        }

        while (true)
        {
            Task changed;
            lock (_lock)
            {
                Open();
                if (MakeRoom(key, bytes))
                {
                    var made = Directory.CreateDirectory(Path.Combine(folder.Loading, key)).FullName;
                    var entry = _entries[key] = new CachedVersion(address, bytes) { Holds = 1, LastUsed = time.GetUtcNow() };
                    Tell();
                    return new CacheRoom(key, made, entry);
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Makes a download visible, in one step. It stays held.</summary>
    /// <exception cref="IOException">It cannot be moved to its place.</exception>
    public void Commit(CacheRoom room, VersionRecord record)
    {
        lock (_lock)
        {
            CacheFolder.WriteWholeTo(Path.Combine(room.Folder, VersionRecord.FileName), record.Write());
            Directory.Move(room.Folder, Path.Combine(folder.Versions, room.Key));
            room.Entry.Record = record;
        }
    }

    /// <summary>Ends a holding. What is not whole stays for the next try, and is the first to go.</summary>
    public void GiveBack(CachedVersion entry)
    {
        lock (_lock)
        {
            if (--entry.Holds == 0)
            {
                Changed();
            }
        }
    }

    /// <summary>Removes the downloaded files of an incomplete version.</summary>
    public void Discard(CacheRoom room)
    {
        lock (_lock)
        {
            Remove(room.Folder);
            Directory.CreateDirectory(room.Folder);
        }
    }

    /// <summary>Reads a version's files again; if they are not those that were recorded, the version is dropped.</summary>
    /// <returns>Whether it was.</returns>
    public bool DropIfDamaged(HeldVersion held)
    {
        if (held.Record.Files.All(file => IsAsRecorded(Path.Combine(held.Folder, file.Name), file)))
        {
            return false;
        }

        lock (_lock)
        {
            if (_entries.GetValueOrDefault(held.Key) is { } entry && entry.Record == held.Record)
            {
                metrics.Damaged();
                Log.Damaged(logger, held.Record.Address);
                DropLocked(held.Key, entry);
            }
        }

        return true;
    }

    private static bool IsAsRecorded(string path, RecordedFile file)
    {
        try
        {
            return ContentSums.Read(path, [], CancellationToken.None) == file.Sha256;
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return false;
        }
    }

    private static bool IsWhole(string path, VersionRecord record)
    {
        try
        {
            return record.Files.All(file => FileStat.Read(Path.Combine(path, record.Folder, file.Name), followLinks: false) is { Kind: FileKind.Regular } stat && stat.Size == file.Size);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return false;
        }
    }

    /// <summary>Takes over what an earlier process left.</summary>
    private void Open()
    {
        if (_isOpen)
        {
            return;
        }

        foreach (var path in Directory.EnumerateDirectories(folder.Versions))
        {
            var record = ReadRecord(path);
            if (record is null)
            {
                Remove(path);
                continue;
            }

            _entries[Path.GetFileName(path)] = new CachedVersion(record.Address, record.Bytes) { Record = record, LastUsed = File.GetLastWriteTimeUtc(Path.Combine(path, VersionRecord.FileName)) };
        }

        foreach (var path in Directory.EnumerateDirectories(folder.Loading))
        {
            if (path.EndsWith(Gone, StringComparison.Ordinal))
            {
                Remove(path);
                continue;
            }

            var bytes = new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(static file => file.Length);
            _entries.TryAdd(Path.GetFileName(path), new CachedVersion(path, bytes) { LastUsed = Directory.GetLastWriteTimeUtc(path) });
        }

        _isOpen = true;
        Tell();
        Log.CacheOpened(logger, folder.Root, _entries.Values.Count(static entry => entry.Record is not null), _entries.Values.Sum(static entry => entry.Bytes));
    }

    private static VersionRecord? ReadRecord(string path)
    {
        try
        {
            return VersionRecord.Read(File.ReadAllBytes(Path.Combine(path, VersionRecord.FileName)));
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return null;
        }
    }

    private bool MakeRoom(string key, long bytes)
    {
        var used = _entries.Where(entry => entry.Key != key).Sum(static entry => entry.Value.Bytes);
        var free = _entries.Where(entry => entry.Key != key && entry.Value.Holds == 0).OrderBy(static entry => entry.Value.Record is not null).ThenBy(static entry => entry.Value.LastUsed).ToList();
        if (used - free.Sum(static entry => entry.Value.Bytes) + bytes > Limit)
        {
            return false;
        }

        foreach (var (name, entry) in free.TakeWhile(_ => used + bytes > Limit))
        {
            used -= entry.Bytes;
            metrics.Evicted();
            Log.Evicted(logger, entry.Address);
            DropLocked(name, entry);
        }

        return true;
    }

    private void DropLocked(string key, CachedVersion entry)
    {
        _entries.Remove(key);
        var whole = Path.Combine(folder.Versions, key);
        var gone = Path.Combine(folder.Loading, $"{key}{Gone}");
        if (entry.Record is not null && Directory.Exists(whole))
        {
            // First out of sight: what a crash leaves of the removal is no version.
            Remove(gone);
            Directory.Move(whole, gone);
            Remove(gone);
        }
        else
        {
            Remove(Path.Combine(folder.Loading, key));
        }

        Changed();
    }

    private void Changed()
    {
        Tell();
        var told = _changed;
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        told.SetResult();
    }

    private void Tell() => metrics.Cached(_entries.Values.Sum(static entry => entry.Bytes), Limit);

    /// <summary>For the order of use after a restart; that it cannot be set takes nothing from this load.</summary>
    private void Stamp(string path, DateTimeOffset now)
    {
        try
        {
            File.SetLastWriteTimeUtc(Path.Combine(path, VersionRecord.FileName), now.UtcDateTime);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            Log.NotRemoved(logger, Path.GetFileName(path), IoReason.Of(exception));
        }
    }

    private void Remove(string path)
    {
        try
        {
            if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            Log.NotRemoved(logger, Path.GetFileName(path), IoReason.Of(exception));
        }
    }
}

/// <summary>A version on the disk, whole or in the making. Changed under the cache's lock alone.</summary>
internal sealed class CachedVersion(string address, long bytes)
{
    public string Address => address;

    public long Bytes => bytes;

    /// <summary>Downloads and loads that need it.</summary>
    public int Holds { get; set; }

    public DateTimeOffset LastUsed { get; set; }

    /// <summary>Null while it is not whole.</summary>
    public VersionRecord? Record { get; set; }
}

/// <summary>A whole version that stays until it is given back.</summary>
/// <param name="Folder">Absolute path of its files.</param>
internal sealed record HeldVersion(string Key, VersionRecord Record, string Folder, CachedVersion Entry);

/// <summary>Room for a version that is being downloaded.</summary>
/// <param name="Folder">Absolute path of the folder that becomes the version.</param>
internal sealed record CacheRoom(string Key, string Folder, CachedVersion Entry);
