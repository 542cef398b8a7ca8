using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Versions;
using Cluster.Grains.Sessions;
using Cluster.Grains.Trust;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Objects.Downloads;

/// <summary>
/// Has a version in a local folder before it is loaded. What lies in object storage is a folder that is filled first, and from then on read and checked as any other. Loads of one
/// version share one download. Safe from any thread.
/// </summary>
internal sealed class VersionFetch(
    StorageSources sources, ObjectReader reader, ObjectCache cache, ModelTrustOptions limits, ObjectStorageOptions options, ObjectMetrics metrics, TimeProvider time, ILogger<VersionFetch> logger) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Download> _downloads = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _slots = new(options.MaxParts);

    /// <summary>A spec with a source on this machine. At once where it is there already.</summary>
    /// <param name="tell">Told the percentage of a large download.</param>
    /// <exception cref="ServingException">UNAVAILABLE, with the reason; <c>Lost</c> where it may be different a moment later.</exception>
    /// <exception cref="OperationCanceledException">The load was given up.</exception>
    public async Task<LocalVersion> FetchAsync(ReplicaSpec spec, Action<int>? tell, CancellationToken cancellationToken)
    {
        if (!ObjectAddress.IsAddress(spec.Source.Path))
        {
            return new LocalVersion(spec, null, null);
        }

        var address = ObjectAddress.Parse(spec.Source.Path) ?? throw Refusal.Of($"{Refusal.Quote(spec.Source.Path)} is no address of an object");
        try
        {
            var source = sources.Find(address) ?? throw Passing($"'{address}' is in no storage source of this silo", null);
            return await FetchAsync(spec, KeyOf(source, spec.Source), source, tell, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException exception)
        {
            throw Passing(exception.Message, exception);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            throw Passing($"the cache of object storage cannot be used: {IoReason.Of(exception)}", exception);
        }
    }

    public void Dispose() => _slots.Dispose();

    /// <summary>What may be different a moment later, on this silo or another.</summary>
    private static ServingException Passing(string reason, Exception? cause)
    {
        var failure = Failure.Unavailable(reason, LoadFailures.RetryAfter) with { Kind = FailureKind.Lost };
        return cause is null ? new ServingException(failure) : new ServingException(failure, cause);
    }

    /// <summary>By content, and where it is from: an ETag says nothing of another store.</summary>
    private static string KeyOf(StorageSource source, ModelVersionSource version) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{source.Endpoint}|{source.Region}|{version.Path}|{version.Revision}")));

    private async Task<LocalVersion> FetchAsync(ReplicaSpec spec, string key, StorageSource source, Action<int>? tell, CancellationToken cancellationToken)
    {
        if (cache.TryHold(key) is { } held)
        {
            metrics.Hit();
            return Local(spec, held);
        }

        Download download;
        while (!TryJoin(key, source, spec.Source, tell, out download))
        {
            // It was given up, and its files are its own until it has ended.
            await ((Task)download.Work).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }

        try
        {
            await download.Work.WaitAsync(cancellationToken).ConfigureAwait(false);
            return Local(spec, cache.TryHold(key) ?? throw Passing("its files vanished from the cache of object storage", null));
        }
        finally
        {
            Leave(download);
        }
    }

    private LocalVersion Local(ReplicaSpec spec, HeldVersion held)
    {
        var path = Path.Combine(held.Folder, held.Record.Graph);
        var local = spec.Source with { Path = path };

        // What was recorded when it had been checked is what the load has to find.
        var recorded = held.Record.Files.ToDictionary(static file => file.Name, static file => Convert.FromHexString(file.Sha256), StringComparer.Ordinal);
        var revision = new ContentHash().Compute(VersionListing.Of(local).Files, forget: false, recorded);
        return new LocalVersion(spec with { Source = local with { Revision = revision } }, cache, held);
    }

    private bool TryJoin(string key, StorageSource source, ModelVersionSource version, Action<int>? tell, out Download download)
    {
        lock (_lock)
        {
            if (_downloads.TryGetValue(key, out var known))
            {
                download = known;
                if (known.GivenUp.IsCancellationRequested)
                {
                    return false;
                }
            }
            else
            {
                var begun = download = new Download();
                _downloads.Add(key, begun);
                begun.Work = Task.Run(() => RunAsync(key, source, version, begun));
            }

            download.Waiting++;
            download.Told += tell;
            return true;
        }
    }

    private async Task<CacheRoom> RunAsync(string key, StorageSource source, ModelVersionSource version, Download download)
    {
        try
        {
            var work = new VersionDownload(reader, cache, limits, options, metrics, _slots, time, logger);
            return await work.RunAsync(key, source, version, percent => download.Told?.Invoke(percent), download.GivenUp.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ObjectStoreException or ServingException || IoReason.IsFileError(exception))
        {
            metrics.Failed();
            Log.DownloadFailed(logger, ObjectAddress.Parse(version.Path)!.ToString(), exception is ServingException serving ? serving.Failure.Message : exception.Message);
            throw;
        }
        finally
        {
            lock (_lock)
            {
                // A later load finds the version in the cache, or tries again.
                _downloads.Remove(key);
            }
        }
    }

    /// <summary>The last one to leave a download ends it, or its hold on the room.</summary>
    private void Leave(Download download)
    {
        lock (_lock)
        {
            if (--download.Waiting > 0)
            {
                return;
            }

            download.GivenUp.Cancel();
        }

        _ = EndAsync(download);
    }

    private async Task EndAsync(Download download)
    {
        await ((Task)download.Work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (download.Work.IsCompletedSuccessfully)
        {
            cache.GiveBack((await download.Work.ConfigureAwait(false)).Entry);
        }

        download.GivenUp.Dispose();
    }

    /// <summary>A download and those who wait for it.</summary>
    private sealed class Download
    {
        public Task<CacheRoom> Work { get; set; } = null!;

        public CancellationTokenSource GivenUp { get; } = new();

        public int Waiting { get; set; }

        public Action<int>? Told { get; set; }
    }
}

/// <summary>A version in a local folder, which stays until this is disposed of.</summary>
internal sealed class LocalVersion(ReplicaSpec spec, ObjectCache? cache, HeldVersion? held) : IDisposable
{
    /// <summary>What to read.</summary>
    public ReplicaSpec Spec => spec;

    /// <summary>Whether its files are not those any more that were downloaded; then they are gone from the cache.</summary>
    public bool DropIfDamaged() => held is not null && cache!.DropIfDamaged(held);

    public void Dispose()
    {
        if (held is not null)
        {
            cache!.GiveBack(held.Entry);
        }
    }
}
