using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Cluster.Contracts.Buffers;

/// <summary>
/// Memory for messages. Small arrays come from <see cref="ArrayPool{T}.Shared"/>. That pool would keep some dozens of every size for each processor and one for each
/// thread, until a full collection long after. So large arrays have a pool of their own, with a bound on the bytes that it keeps after a burst of large messages. Safe
/// from any thread.
/// </summary>
public sealed class PayloadPool
{
    /// <summary>The largest array that the shared pool may keep.</summary>
    private const int LargestShared = 256 << 10;

    /// <summary>The largest array that is kept at all; making a larger one costs little beside filling it.</summary>
    private const int LargestKept = 32 << 20;

    /// <summary>Bytes of arrays too large to be kept at which the collector is called. An eighth of what the process may have, 64 to 512 MiB.</summary>
    private static readonly long MostDiscarded = Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8, 64L << 20, 512L << 20);

    /// <summary>Between two looks for lost arrays, each of which costs a collection in the background.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);

    private static readonly int FirstBucket = BitOperations.Log2(LargestShared) + 1;

    private readonly ConcurrentStack<byte[]>[] _kept;
    private readonly long _budget;
    private readonly TimeProvider _time;
    private readonly DiscardedArrays _discarded;
    private long _nextLook;
    private long _keptBytes;
    private long _rentedBytes;

    /// <param name="budget">Bytes of large arrays that may be kept.</param>
    /// <param name="time">Null for the system's.</param>
    public PayloadPool(long budget, TimeProvider? time = null)
    {
        _budget = budget;
        _time = time ?? TimeProvider.System;
        _discarded = new DiscardedArrays(
            MostDiscarded, _time, static () => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true));
        _kept = [.. Enumerable.Range(FirstBucket, BitOperations.Log2(LargestKept) - FirstBucket + 1).Select(static _ => new ConcurrentStack<byte[]>())];
    }

    /// <summary>The process' pool. It keeps what 64 requests of 600 KiB and their answers need at once: 128 MiB.</summary>
    public static PayloadPool Shared { get; } = new(128L << 20);

    /// <summary>Bytes of large arrays that wait for their next use.</summary>
    public long KeptBytes => Interlocked.Read(ref _keptBytes);

    /// <summary>Bytes of large arrays that are in use.</summary>
    public long RentedBytes => Interlocked.Read(ref _rentedBytes);

    /// <summary>Bytes of large arrays that are in use, kept, or wait for the collector.</summary>
    public long LargeBytes => KeptBytes + RentedBytes + _discarded.Bytes;

    /// <summary>An array of at least <paramref name="length"/> bytes with any content; 0 to <see cref="Array.MaxLength"/>.</summary>
    public byte[] Rent(int length)
    {
        if (length <= LargestShared)
        {
            return ArrayPool<byte>.Shared.Rent(length);
        }

        var size = SizeOf(length);
        Interlocked.Add(ref _rentedBytes, size);
        return Make(size);
    }

    /// <summary>As <see cref="Rent"/>, unless large arrays in use would then be of more than <paramref name="most"/> bytes together.</summary>
    public bool TryRent(int length, long most, [NotNullWhen(true)] out byte[]? array)
    {
        if (length <= LargestShared)
        {
            array = ArrayPool<byte>.Shared.Rent(length);
            return true;
        }

        var size = SizeOf(length);
        array = TryTake(size, most) ? Make(size) : null;
        return array is not null;
    }

    /// <summary>Takes back an array that this pool handed out, and that is out of use.</summary>
    public void Return(byte[] array)
    {
        if (array.Length <= LargestShared)
        {
            ArrayPool<byte>.Shared.Return(array);
            return;
        }

        Forget(array.Length);
        if (array.Length <= LargestKept)
        {
            Keep(array);
        }
        else
        {
            _discarded.Add(array.Length);
        }
    }

    /// <summary>
    /// Has the collector look for arrays that their holders lost, in the background and at most each 10 s. For those who find too much in use: without large arrays that are
    /// made anew the collector has no reason to look at old ones.
    /// </summary>
    /// <returns>Whether it does.</returns>
    public bool LookForLost()
    {
        var next = Interlocked.Read(ref _nextLook);
        var now = _time.GetTimestamp();
        if (now < next || Interlocked.CompareExchange(ref _nextLook, now + (long)(LookInterval.TotalSeconds * _time.TimestampFrequency), next) != next)
        {
            return false;
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        return true;
    }

    /// <summary>What a holder of <paramref name="rented"/> keeps with it; null where it is small.</summary>
    internal LargeClaim? Claim(byte[] rented) => rented.Length > LargestShared ? new LargeClaim(this, rented.Length) : null;

    /// <summary>Counts bytes as those of an array in use, unless these would be more than <paramref name="most"/> together then.</summary>
    internal bool TryTake(long bytes, long most)
    {
        // Counted before the look, so that two at once do not both find the last room.
        if (Interlocked.Add(ref _rentedBytes, bytes) <= most)
        {
            return true;
        }

        Forget(bytes);
        LookForLost();
        return false;
    }

    /// <summary>Ends the count of bytes that are in use no more.</summary>
    internal void Forget(long bytes) => Interlocked.Add(ref _rentedBytes, -bytes);

    /// <summary>Bytes of the array for so many, where it is large.</summary>
    internal static int SizeOf(int length) => length > LargestKept ? length : (int)BitOperations.RoundUpToPowerOf2((uint)length);

    /// <summary>Bytes of an array that count; those of small ones do not.</summary>
    internal static int CountedOf(int size) => size > LargestShared ? size : 0;

    private static int BucketOf(int size) => BitOperations.Log2((uint)size) - FirstBucket;

    /// <summary>An array that is counted already.</summary>
    private byte[] Make(int size)
    {
        if (size <= LargestKept && _kept[BucketOf(size)].TryPop(out var array))
        {
            Interlocked.Add(ref _keptBytes, -size);
            return array;
        }

        try
        {
            return GC.AllocateUninitializedArray<byte>(size);
        }
        catch (OutOfMemoryException)
        {
            Forget(size);
            throw;
        }
    }

    private void Keep(byte[] array)
    {
        if (Interlocked.Add(ref _keptBytes, array.Length) <= _budget)
        {
            _kept[BucketOf(array.Length)].Push(array);
        }
        else
        {
            Interlocked.Add(ref _keptBytes, -array.Length);
        }
    }
}
