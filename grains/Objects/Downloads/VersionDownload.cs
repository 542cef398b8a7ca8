using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Versions;
using Cluster.Grains.Trust;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Objects.Downloads;

/// <summary>
/// Brings a version into the cache. 1: lists it, and goes on only if it is the content that was registered. 2: looks at sizes. 3: waits for room. 4: downloads every object. 5: lists it
/// again: what changed meanwhile is not shown. 6: makes it visible, in one step.
/// </summary>
internal sealed class VersionDownload(
    ObjectReader reader, ObjectCache cache, ModelTrustOptions limits, ObjectStorageOptions options, ObjectMetrics metrics, SemaphoreSlim slots, TimeProvider time, ILogger logger)
{
    /// <summary>Smaller ones are there before their progress is read.</summary>
    private const long ProgressFrom = 16L << 20;

    private static readonly TimeSpan TellAfter = TimeSpan.FromSeconds(5);

    /// <param name="key">In the cache.</param>
    /// <param name="tell">Told the percentage that has arrived, at each tenth.</param>
    /// <returns>The version's room, which is held.</returns>
    /// <exception cref="ServingException">It may not be loaded.</exception>
    /// <exception cref="ObjectStoreException">The store is away, or holds something else.</exception>
    public async Task<CacheRoom> RunAsync(string key, StorageSource source, ModelVersionSource wanted, Action<int> tell, CancellationToken cancellationToken)
    {
        var graph = ObjectAddress.Parse(wanted.Path)!;
        var folder = wanted.IsSingleFile ? graph : graph.Parent;
        var listing = await ListAsync(source, wanted, folder, cancellationToken).ConfigureAwait(false);
        CheckSizes(listing, graph.Name);
        var bytes = listing.Files.Sum(static file => file.Stat.Size);
        var room = await cache.ReserveAsync(key, folder.ToString(), bytes, cancellationToken).ConfigureAwait(false);
        try
        {
            var start = time.GetTimestamp();
            var name = wanted.Version.ToString(CultureInfo.InvariantCulture);
            var files = listing.Files.Select((file, number) => (File: file, Number: number)).ToList();
            var present = files.Sum(file => FileDownload.PresentBytes(Unfinished(room, file.Number), file.File.Stat.Size, (long)options.PartMiB << 20));
            Log.DownloadBegan(logger, folder.ToString(), files.Count, bytes, present);
            var progress = new DownloadProgress(folder, bytes, present, bytes >= ProgressFrom ? tell : null, TellAfter, time, logger);
            var download = new FileDownload(reader, source, options, metrics, time, slots, progress.Arrived);
            var records = new RecordedFile[files.Count];
            await Parallel.ForEachAsync(files, new ParallelOptions { MaxDegreeOfParallelism = options.PartsPerObject, CancellationToken = cancellationToken }, async (file, token) =>
            {
                var item = new StoredObject(file.File.Name, file.File.Stat.Size, VersionObjects.ETagOf(file.File));
                var target = Path.Combine(room.Folder, name, file.File.Name);
                var sha = await download.RunAsync(wanted.IsSingleFile ? graph : folder.Below(file.File.Name), item, target, Unfinished(room, file.Number), token).ConfigureAwait(false);
                records[file.Number] = new RecordedFile(item.Key, item.Size, item.ETag, sha);
            }).ConfigureAwait(false);
            await ListAsync(source, wanted, folder, cancellationToken).ConfigureAwait(false);
            cache.Commit(room, new VersionRecord(folder.ToString(), wanted.Revision, name, graph.Name, records));
            var took = time.GetElapsedTime(start);
            metrics.Downloaded(took);
            Log.DownloadEnded(logger, folder.ToString(), bytes, took.TotalSeconds, progress.Bytes / 1048576.0 / Math.Max(took.TotalSeconds, 0.001));
            return room;
        }
        catch (Exception exception)
        {
            if (exception is ObjectStoreException { Failure: StoreFailure.Changed or StoreFailure.Missing })
            {
                cache.Discard(room);
            }

            cache.GiveBack(room.Entry);
            throw;
        }
    }

    private string Unfinished(CacheRoom room, int number) => Path.Combine(room.Folder, string.Create(CultureInfo.InvariantCulture, $"{number}-{options.PartMiB}.part"));

    /// <exception cref="ObjectStoreException">It holds something else.</exception>
    private async Task<VersionListing> ListAsync(StorageSource source, ModelVersionSource wanted, ObjectAddress folder, CancellationToken cancellationToken)
    {
        var listing = await VersionListings.ReadAsync(reader, source, folder, wanted.IsSingleFile, cancellationToken).ConfigureAwait(false);
        return listing is { Problem: null } && VersionObjects.Revision(listing.Files) == wanted.Revision
            ? listing
            : throw new ObjectStoreException(StoreFailure.Changed, $"'{folder}' holds other content now than was registered; the next look at the repository finds it");
    }

    /// <summary>Before a byte of them is read.</summary>
    private void CheckSizes(VersionListing listing, string graph)
    {
        var bytes = listing.Files.Sum(static file => file.Stat.Size);
        if (bytes > limits.MaxVersionBytes)
        {
            throw Refusal.Of(string.Create(CultureInfo.InvariantCulture, $"its files have {bytes} bytes; Models:{nameof(limits.MaxVersionBytes)} allows {limits.MaxVersionBytes}"));
        }

        if (listing.Files.FirstOrDefault(file => file.Name == graph).Stat.Size is var size && size > limits.MaxFileBytes)
        {
            throw Refusal.Of(string.Create(CultureInfo.InvariantCulture, $"'{graph}' has {size} bytes; Models:{nameof(limits.MaxFileBytes)} allows {limits.MaxFileBytes}"));
        }
    }
}

/// <summary>Progress of a version's download. It is reported at each tenth, and after some seconds of less. Safe from any thread.</summary>
/// <param name="total">Bytes of all files.</param>
/// <param name="present">Bytes that were here before.</param>
/// <param name="tell">Told percentages; null where the version is small.</param>
internal sealed class DownloadProgress(ObjectAddress address, long total, long present, Action<int>? tell, TimeSpan after, TimeProvider time, ILogger logger)
{
    private readonly Lock _lock = new();
    private long _arrived;
    private int _told = (int)(present * 100 / Math.Max(total, 1));
    private long _last = time.GetTimestamp();

    /// <summary>Bytes that this download has read.</summary>
    public long Bytes => Interlocked.Read(ref _arrived);

    public void Arrived(long bytes)
    {
        var arrived = Interlocked.Add(ref _arrived, bytes);
        if (tell is null)
        {
            return;
        }

        var percent = (int)Math.Clamp((present + arrived) * 100 / total, 0, 100);
        lock (_lock)
        {
            if (percent <= _told || (percent / 10 == _told / 10 && time.GetElapsedTime(_last) < after))
            {
                return;
            }

            (_told, _last) = (percent, time.GetTimestamp());
        }

        Log.DownloadGoesOn(logger, address.ToString(), percent);
        tell(percent);
    }
}
