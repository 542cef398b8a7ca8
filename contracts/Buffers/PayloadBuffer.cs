using System.Buffers;
using System.Collections.Concurrent;
using System.Numerics;

namespace Cluster.Contracts.Buffers;

/// <summary>
/// A message's bytes in pooled memory, counted: the memory goes back to the pool with the last holder. Safe to hold from several threads; the bytes
/// are written by the first holder alone, before it lets others hold them.
/// </summary>
/// <remarks>
/// <para>
/// The rule for calls. An argument is lent: the caller keeps its count and releases it when the call has ended, however it ended. A result is handed over
/// (<see cref="HandOver"/>): the caller releases it. Each other user of a payload, a grain or the transport, takes a count of its own with <see cref="TryTake"/> and
/// releases it when done. For a lent payload that is one more count. For one that came with a message it is the message's. A payload with a message that reached no
/// grain is left to the garbage collector.
/// </para>
/// <para>
/// Managed arrays start at a multiple of 8 and stay there when the collector moves them. So an element placed at a
/// multiple of 8 from the array's start is naturally aligned for every datatype. <see cref="Rent"/>'s padding serves that.
/// </para>
/// </remarks>
public sealed class PayloadBuffer : IDisposable
{
    /// <summary>The alignment that tensor bytes get where the layout allows it: the size of the widest element.</summary>
    public const int TensorAlignment = 8;

    private static long _outstanding;

    private readonly int _start;
    private byte[]? _array;
    private int _count = 1;

    /// <summary>1 while the first count is for the next that takes.</summary>
    private int _carried;

    private PayloadBuffer(byte[]? array, int start, int length)
    {
        _array = array;
        _start = start;
        Length = length;
        Interlocked.Increment(ref _outstanding);
    }

    /// <summary>Buffers of this process that are held, or that were left to the collector.</summary>
    public static long Outstanding => Interlocked.Read(ref _outstanding);

    /// <summary>Bytes in use; shrinks through <see cref="Truncate"/>.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes by which the first lies behind a multiple of 8, 0 to 7.</summary>
    public int Padding => _start;

    /// <summary>The bytes. Throws <see cref="ObjectDisposedException"/> once given back.</summary>
    public Span<byte> Span => Array.AsSpan(_start, Length);

    /// <inheritdoc cref="Span"/>
    public Memory<byte> Memory => Array.AsMemory(_start, Length);

    private byte[] Array => _array ?? throw new ObjectDisposedException(nameof(PayloadBuffer));

    /// <summary>Takes memory from the pool.</summary>
    /// <param name="length">Bytes wanted, 0 to <see cref="System.Array.MaxLength"/> − 7.</param>
    /// <param name="padding">Bytes left free in front, 0 to 7, so that a chosen byte lands on a multiple of 8.</param>
    public static PayloadBuffer Rent(int length, int padding = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)padding, (uint)TensorAlignment, nameof(padding));
        return new PayloadBuffer(PayloadPool.Shared.Rent(length + padding), padding, length);
    }

    /// <summary>Takes over an array that was rented from <see cref="PayloadPool.Shared"/>; its first <paramref name="length"/> bytes are the message.</summary>
    public static PayloadBuffer Adopt(byte[] rented, int length) => new(rented, 0, length);

    /// <summary>Takes memory from the pool and copies <paramref name="bytes"/> into it.</summary>
    public static PayloadBuffer CopyOf(ReadOnlySpan<byte> bytes)
    {
        var buffer = Rent(bytes.Length);
        bytes.CopyTo(buffer.Span);
        return buffer;
    }

    /// <summary>A payload without memory: its caller gave up before it was sent.</summary>
    public static PayloadBuffer GivenBack()
    {
        var buffer = new PayloadBuffer(null, 0, 0);
        buffer.Dispose();
        return buffer;
    }

    /// <summary>Gives up the bytes after <paramref name="length"/>.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Length, nameof(length));
        Length = length;
    }

    /// <summary>Leaves the count of its only holder to the next that takes.</summary>
    /// <returns>This buffer.</returns>
    /// <exception cref="InvalidOperationException">There are other holders: one of them would take the count.</exception>
    public PayloadBuffer HandOver()
    {
        if (Volatile.Read(ref _count) != 1)
        {
            throw new InvalidOperationException("a payload that others hold cannot be handed over");
        }

        Volatile.Write(ref _carried, 1);
        return this;
    }

    /// <summary>One more holder, by one that holds it already.</summary>
    /// <exception cref="ObjectDisposedException">It has been given back.</exception>
    public void Retain() => ObjectDisposedException.ThrowIf(!TryRetain(), this);

    /// <summary>Becomes a holder: with the count that was handed over, if one was, else with one more.</summary>
    /// <returns>False if the memory has been given back. The caller then has no count to release.</returns>
    public bool TryTake() => Interlocked.Exchange(ref _carried, 0) != 0 || TryRetain();

    /// <summary>Gives up one count; the memory goes back to the pool with the last. Once it is back, a further call does nothing.</summary>
    public void Dispose()
    {
        int count;
        do
        {
            count = Volatile.Read(ref _count);
            if (count == 0)
            {
                return;
            }
        }
        while (Interlocked.CompareExchange(ref _count, count - 1, count) != count);

        if (count == 1)
        {
            Interlocked.Decrement(ref _outstanding);
            if (Interlocked.Exchange(ref _array, null) is { } array)
            {
                PayloadPool.Shared.Return(array);
            }
        }
    }

    /// <inheritdoc cref="Retain"/>
    /// <returns>False if the memory has been given back.</returns>
    internal bool TryRetain()
    {
        int count;
        do
        {
            count = Volatile.Read(ref _count);
            if (count == 0)
            {
                return false;
            }
        }
        while (Interlocked.CompareExchange(ref _count, count + 1, count) != count);

        return true;
    }
}

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

    /// <summary>Bytes of arrays, too large for the pool, that may wait for the garbage collector. An eighth of what the process may have, 64 to 512 MiB.</summary>
    private static readonly long MostDiscarded = Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8, 64L << 20, 512L << 20);

    private static readonly int FirstBucket = BitOperations.Log2(LargestShared) + 1;

    private readonly ConcurrentStack<byte[]>[] _kept;
    private readonly long _budget;
    private long _keptBytes;
    private long _rentedBytes;
    private long _discardedBytes;

    /// <param name="budget">Bytes of large arrays that may be kept.</param>
    public PayloadPool(long budget)
    {
        _budget = budget;
        _kept = [.. Enumerable.Range(FirstBucket, BitOperations.Log2(LargestKept) - FirstBucket + 1).Select(static _ => new ConcurrentStack<byte[]>())];
    }

    /// <summary>The process' pool. It keeps what 64 requests of 600 KiB and their answers need at once: 128 MiB.</summary>
    public static PayloadPool Shared { get; } = new(128L << 20);

    /// <summary>Bytes of large arrays that wait for their next use.</summary>
    public long KeptBytes => Interlocked.Read(ref _keptBytes);

    /// <summary>Bytes of large arrays that are in use, kept, or wait for the collector.</summary>
    public long LargeBytes => KeptBytes + Interlocked.Read(ref _rentedBytes) + Interlocked.Read(ref _discardedBytes);

    /// <summary>An array of at least <paramref name="length"/> bytes with any content; 0 to <see cref="Array.MaxLength"/>.</summary>
    public byte[] Rent(int length)
    {
        if (length <= LargestShared)
        {
            return ArrayPool<byte>.Shared.Rent(length);
        }

        if (length > LargestKept)
        {
            Interlocked.Add(ref _rentedBytes, length);
            return GC.AllocateUninitializedArray<byte>(length);
        }

        var size = (int)BitOperations.RoundUpToPowerOf2((uint)length);
        Interlocked.Add(ref _rentedBytes, size);
        if (_kept[BucketOf(size)].TryPop(out var array))
        {
            Interlocked.Add(ref _keptBytes, -size);
            return array;
        }

        return GC.AllocateUninitializedArray<byte>(size);
    }

    /// <summary>Takes back an array that this pool handed out, and that is out of use.</summary>
    public void Return(byte[] array)
    {
        if (array.Length <= LargestShared)
        {
            ArrayPool<byte>.Shared.Return(array);
            return;
        }

        Interlocked.Add(ref _rentedBytes, -array.Length);
        if (array.Length <= LargestKept)
        {
            Keep(array);
        }
        else if (Interlocked.Add(ref _discardedBytes, array.Length) >= MostDiscarded)
        {
            // Before the collection, so that one thread collects; the collector would leave such arrays, and their memory with the process, for long.
            Interlocked.Exchange(ref _discardedBytes, 0);
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    private static int BucketOf(int size) => BitOperations.Log2((uint)size) - FirstBucket;

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
