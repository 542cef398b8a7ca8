using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Objects;

/// <summary>Asks a store, and asks again where that may help. The wait doubles with each try, and half of it is random. Safe from any thread.</summary>
internal sealed class ObjectReader(IObjectStore store, ObjectStorageOptions options, RetryRandom random, ObjectMetrics metrics, TimeProvider time, ILogger<ObjectReader> logger)
{
    /// <summary>Objects of one listing; a prefix with more is no folder of models.</summary>
    private const int MaxObjects = 2_000_000;

    public IObjectStore Store => store;

    /// <summary>All objects whose keys begin with <paramref name="prefix"/>, with keys relative to that of <paramref name="address"/>, but for marks of folders.</summary>
    /// <param name="prefix">As it is written: the prefix of the address, or of something below it.</param>
    /// <exception cref="ObjectStoreException">The store is away after all tries, or refuses.</exception>
    public async Task<List<StoredObject>> ListAsync(StorageSource source, ObjectAddress address, string prefix, int most, CancellationToken cancellationToken)
    {
        var found = new List<StoredObject>();
        string? next = null;
        do
        {
            var after = next;
            var page = await RetryAsync(address, token => store.ListAsync(source, address with { Key = prefix }, after, token), cancellationToken).ConfigureAwait(false);
            foreach (var item in page.Objects)
            {
                if (!item.Key.StartsWith(prefix, StringComparison.Ordinal) || item.Size < 0 || item.ETag.Length == 0)
                {
                    throw new ObjectStoreException(StoreFailure.Broken, $"the listing of '{address}' has an object that was not asked for, or has no size and ETag");
                }

                if (!item.IsFolderMark)
                {
                    found.Add(item with { Key = item.Key[address.Prefix.Length..] });
                }
            }

            if (found.Count > Math.Min(most, MaxObjects))
            {
                throw new ObjectStoreException(StoreFailure.Broken, $"'{address}' holds more than {Math.Min(most, MaxObjects)} objects");
            }

            next = page.Next;
        }
        while (next is not null);
        return found;
    }

    /// <summary>A small object's whole content.</summary>
    /// <exception cref="ObjectStoreException">The store is away after all tries, or refuses.</exception>
    public Task<byte[]> ReadAsync(StorageSource source, ObjectAddress address, StoredObject item, CancellationToken cancellationToken) => item.Size == 0
        ? Task.FromResult<byte[]>([])
        : RetryAsync(address, async token =>
        {
            var content = new byte[item.Size];
            var stream = await store.OpenAsync(source, address, item.ETag, 0, item.Size, token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                var read = await stream.ReadAtLeastAsync(content, content.Length, throwOnEndOfStream: false, token).ConfigureAwait(false);
                return read == content.Length ? content : throw Cut(address);
            }
        }, cancellationToken);

    /// <summary>Carries out a request until it succeeds, fails for good, or has failed as often as allowed.</summary>
    /// <exception cref="ObjectStoreException">The last failure.</exception>
    public async Task<T> RetryAsync<T>(ObjectAddress address, Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await LimitAsync(address, ask, cancellationToken).ConfigureAwait(false);
            }
            catch (ObjectStoreException exception) when (exception.IsPassing && tries < options.MaxTries)
            {
                await WaitAsync(address, exception, tries, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits before the next try.</summary>
    /// <param name="tries">How many there were, at least 1.</param>
    public async Task WaitAsync(ObjectAddress address, ObjectStoreException failure, int tries, CancellationToken cancellationToken)
    {
        metrics.Retried(failure.Failure);
        var longest = Math.Min(options.MaxRetryDelay.TotalMilliseconds, options.RetryDelay.TotalMilliseconds * Math.Pow(2, tries - 1));
        var wait = TimeSpan.FromMilliseconds(longest * random.Between(0.5, 1));
        Log.Retried(logger, address.ToString(), Math.Round(wait.TotalMilliseconds), failure.Message);
        await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A connection ended, or something else happened on the way to the store.</summary>
    public static ObjectStoreException Cut(ObjectAddress address, Exception? cause = null) =>
        new(StoreFailure.Away, $"the transfer of '{address}' was cut", cause);

    public static ObjectStoreException Stalled(ObjectAddress address, Exception? cause = null) =>
        new(StoreFailure.Away, $"object storage did not answer for '{address}' in time", cause);

    private async Task<T> LimitAsync<T>(ObjectAddress address, Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.StallTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await ask(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw Stalled(address, exception);
        }
        catch (IOException exception)
        {
            throw Cut(address, exception);
        }
    }
}

/// <summary>The chance in waits between tries. Safe from any thread.</summary>
internal sealed class RetryRandom(Random random)
{
    private readonly Lock _lock = new();

    public double Between(double least, double most)
    {
        lock (_lock)
        {
            return least + ((most - least) * random.NextDouble());
        }
    }
}
