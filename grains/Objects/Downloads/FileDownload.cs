using System.Buffers;
using Cluster.Grains.Trust;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Grains.Objects.Downloads;

/// <summary>
/// One object on its way to a file: parts of a fixed size, several at once, each with the object's ETag as its condition. A part whose transfer is cut goes on where it was cut. A
/// journal beside the file has a byte for each part that is there, so that a download goes on after a restart.
/// </summary>
/// <param name="slots">Parts that the silo reads at once.</param>
/// <param name="arrived">Told of bytes that have arrived.</param>
internal sealed class FileDownload(
    ObjectReader reader, StorageSource source, ObjectStorageOptions options, ObjectMetrics metrics, TimeProvider time, SemaphoreSlim slots, Action<long> arrived)
{
    private const int BufferSize = 256 * 1024;
    private const byte Done = 1;

    private long PartBytes => (long)options.PartMiB << 20;

    /// <summary>Has the object in a file, checked.</summary>
    /// <param name="target">Absolute path; there is nothing, or what an earlier download checked.</param>
    /// <param name="unfinished">Where it grows until it is whole.</param>
    /// <returns>SHA-256 of the written bytes, in hexadecimal digits.</returns>
    /// <exception cref="ObjectStoreException">The object is gone, has changed, or cannot be read.</exception>
    public async Task<string> RunAsync(ObjectAddress address, StoredObject item, string target, string unfinished, CancellationToken cancellationToken)
    {
        var facts = await reader.RetryAsync(address, token => reader.Store.DescribeAsync(source, address, item.ETag, token), cancellationToken).ConfigureAwait(false);
        if (facts.Size != item.Size || facts.ETag != item.ETag)
        {
            throw new ObjectStoreException(StoreFailure.Changed, $"'{address}' has another size or ETag than was listed");
        }

        if (File.Exists(target) && new FileInfo(target).Length == item.Size && ContentSums.Read(target, facts.Checksums, cancellationToken) is { } known)
        {
            return known;
        }

        for (var tries = 0; ; tries++)
        {
            var content = await FillAsync(address, item, facts, unfinished, cancellationToken).ConfigureAwait(false);
            File.Delete(JournalOf(unfinished));
            if (content is not null)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Move(unfinished, target, overwrite: true);
                return content;
            }

            File.Delete(unfinished);
            arrived(-item.Size);
            if (tries > 0)
            {
                throw Refusal.Of($"what object storage sends for '{address}' does not have the checksum that it tells; it was read twice");
            }
        }
    }

    /// <summary>Bytes that an earlier download left in an unfinished file.</summary>
    public static long PresentBytes(string unfinished, long size, long partBytes)
    {
        if (!File.Exists(unfinished) || !File.Exists(JournalOf(unfinished)))
        {
            return 0;
        }

        var journal = File.ReadAllBytes(JournalOf(unfinished));
        return journal.Select((state, part) => state == Done ? Math.Clamp(size - (part * partBytes), 0, partBytes) : 0).Sum();
    }

    /// <summary>With the size of parts in its name: another size has other parts.</summary>
    private static string JournalOf(string unfinished) => unfinished + ".parts";

    /// <returns>Null: the arrived bytes do not have the store's checksums.</returns>
    private async Task<string?> FillAsync(ObjectAddress address, StoredObject item, ObjectFacts facts, string unfinished, CancellationToken cancellationToken)
    {
        using (var file = File.OpenHandle(unfinished, FileMode.OpenOrCreate, FileAccess.ReadWrite))
        using (var journal = File.OpenHandle(JournalOf(unfinished), FileMode.OpenOrCreate, FileAccess.ReadWrite))
        {
            var parts = (int)((item.Size + PartBytes - 1) / PartBytes);
            var done = new byte[parts];
            if (RandomAccess.GetLength(file) == item.Size && RandomAccess.GetLength(journal) == parts)
            {
                _ = RandomAccess.Read(journal, done, 0);
            }
            else
            {
                RandomAccess.SetLength(file, item.Size);
                RandomAccess.SetLength(journal, 0);
                RandomAccess.SetLength(journal, parts);
            }

            var missing = Enumerable.Range(0, parts).Where(part => done[part] != Done);
            var atOnce = new ParallelOptions { MaxDegreeOfParallelism = options.PartsPerObject, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(missing, atOnce, async (part, token) =>
            {
                await slots.WaitAsync(token).ConfigureAwait(false);
                try
                {
                    var offset = part * PartBytes;
                    await ReadPartAsync(address, item.ETag, file, offset, Math.Min(offset + PartBytes, item.Size), token).ConfigureAwait(false);

                    // The journal must not list bytes that a loss of power takes.
                    RandomAccess.FlushToDisk(file);
                    RandomAccess.Write(journal, [Done], part);
                }
                finally
                {
                    slots.Release();
                }
            }).ConfigureAwait(false);
            RandomAccess.FlushToDisk(file);
        }

        return ContentSums.Read(unfinished, facts.Checksums, cancellationToken);
    }

    private async Task ReadPartAsync(ObjectAddress address, string etag, SafeFileHandle file, long offset, long end, CancellationToken cancellationToken)
    {
        for (var tries = 1; offset < end; tries++)
        {
            var before = offset;
            try
            {
                await ReadOnceAsync(address, etag, file, offset, end, at => offset = at, cancellationToken).ConfigureAwait(false);
            }
            catch (ObjectStoreException exception) when (exception.IsPassing && (offset > before || tries < options.MaxTries))
            {
                // A part that gets on has all its tries again.
                tries = offset > before ? 1 : tries;
                await reader.WaitAsync(address, exception, tries, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Reads until the end.</summary>
    /// <param name="reached">Told how far it has come.</param>
    private async Task ReadOnceAsync(
        ObjectAddress address, string etag, SafeFileHandle file, long offset, long end, Action<long> reached, CancellationToken cancellationToken)
    {
        using var stall = new CancellationTokenSource(options.StallTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stall.Token);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var stream = await ReadingAsync(address, () => reader.Store.OpenAsync(source, address, etag, offset, end - offset, both.Token), cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                while (offset < end)
                {
                    var room = buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - offset));
                    var read = await ReadingAsync(address, () => stream.ReadAsync(room, both.Token).AsTask(), cancellationToken).ConfigureAwait(false);
                    if (read == 0)
                    {
                        throw ObjectReader.Cut(address);
                    }

                    RandomAccess.Write(file, buffer.AsSpan(0, read), offset);
                    offset += read;
                    reached(offset);
                    metrics.Read(read);
                    arrived(read);
                    stall.CancelAfter(options.StallTimeout);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Tells the network's failures from the disk's.</summary>
    private static async Task<T> ReadingAsync<T>(ObjectAddress address, Func<Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await read().ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw ObjectReader.Stalled(address, exception);
        }
        catch (IOException exception)
        {
            throw ObjectReader.Cut(address, exception);
        }
    }
}
