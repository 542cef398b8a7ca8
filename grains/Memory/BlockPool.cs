using System.Numerics;
using System.Runtime.InteropServices;

namespace Cluster.Grains.Memory;

/// <summary>
/// Native memory for tensors, all of it within one limit. Large blocks are kept for their next use and given back to the system when a period has passed in which
/// they were not needed. So what one unusual run took does not stay. Safe from any thread.
/// </summary>
internal sealed unsafe class BlockPool : IDisposable
{
    /// <summary>What a block's user may rely on: a cache line, which vector instructions like best. The block's header takes as much.</summary>
    public const int Alignment = 64;

    /// <summary>Smaller blocks are left to the C library, which keeps them itself.</summary>
    private const int SmallestKept = 256 << 10;

    private const int LargeBlock = 4 << 20;

    /// <summary>Sizes between a power of two and the next: a block is at most an eighth larger than was asked for.</summary>
    private const int StepsLog = 3;

    /// <summary>How long a kept block may be of no use. A model that is asked for more often than this finds its blocks again.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<nuint, Kept> _kept = [];
    private readonly ITimer _timer;
    private long _inUse;
    private long _keptBytes;
    private bool _armed;

    public BlockPool(TimeProvider time) =>
        _timer = time.CreateTimer(static pool => ((BlockPool)pool!).Trim(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Bytes that blocks may take together, kept ones included.</summary>
    public long Limit { get; set; } = long.MaxValue;

    /// <summary>Bytes of other memory that counts under the same limit.</summary>
    public Func<long> Beside { get; init; } = static () => 0;

    /// <summary>Whether the process has really so many bytes left, besides what the books say; asked for blocks of 4 MiB and more.</summary>
    public Func<long, bool> HasLeft { get; set; } = static _ => true;

    public long InUse => Interlocked.Read(ref _inUse);

    public long KeptBytes => Interlocked.Read(ref _keptBytes);

    /// <summary>A block's size as it counts, header included.</summary>
    public static long SizeOf(void* block) => HeaderOf(block)->Size;

    /// <summary>The holder of a block, as given to <see cref="Allocate"/>.</summary>
    public static long OwnerOf(void* block) => HeaderOf(block)->Owner;

    /// <summary>A block of at least <paramref name="bytes"/>, with any content; null where it does not fit under the limit.</summary>
    /// <param name="owner">Any number.</param>
    /// <param name="isForced">Whether the limit does not hold.</param>
    public void* Allocate(nuint bytes, long owner, bool isForced = false)
    {
        if ((ulong)bytes > long.MaxValue / 4)
        {
            return null;
        }

        var size = Round(bytes + Alignment);
        if (!TryTake((long)size, isForced))
        {
            return null;
        }

        var start = size < SmallestKept ? NativeMemory.AlignedAlloc(size, Alignment) : TakeKept(size);
        if (start == null)
        {
            Interlocked.Add(ref _inUse, -(long)size);
            return null;
        }

        *(Header*)start = new Header { Size = (long)size, Owner = owner };
        return (byte*)start + Alignment;
    }

    /// <summary>Whether memory that is counted beside the blocks fits, once the kept blocks are freed.</summary>
    /// <param name="bytes">The part of it that is new: whether the process really has it is asked too.</param>
    public bool HasRoom(long bytes)
    {
        if (InUse + KeptBytes + Beside() > Limit || !HasLeft(bytes))
        {
            Release(static kept => kept.Blocks.Count);
        }

        return InUse + Beside() <= Limit && (bytes < LargeBlock || HasLeft(bytes));
    }

    public void Free(void* block)
    {
        var header = HeaderOf(block);
        var size = header->Size;
        Interlocked.Add(ref _inUse, -size);
        if (size < SmallestKept)
        {
            NativeMemory.AlignedFree(header);
        }
        else
        {
            Keep(header, (nuint)size);
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Release(static kept => kept.Blocks.Count);
    }

    private static Header* HeaderOf(void* block) => (Header*)((byte*)block - Alignment);

    private static nuint Round(nuint size)
    {
        var step = size < SmallestKept ? Alignment : (nuint)1 << (BitOperations.Log2(size) - StepsLog);
        return (size + step - 1) & ~(step - 1);
    }

    private bool TryTake(long size, bool isForced)
    {
        if (Interlocked.Add(ref _inUse, size) + KeptBytes + Beside() <= Limit && (size < LargeBlock || HasLeft(size)))
        {
            return true;
        }

        Release(static kept => kept.Blocks.Count);
        if (isForced || (InUse + Beside() <= Limit && (size < LargeBlock || HasLeft(size))))
        {
            return true;
        }

        Interlocked.Add(ref _inUse, -size);
        return false;
    }

    private void* TakeKept(nuint size)
    {
        lock (_lock)
        {
            if (_kept.TryGetValue(size, out var kept) && kept.Blocks.Count > 0)
            {
                var block = kept.Blocks[^1];
                kept.Blocks.RemoveAt(kept.Blocks.Count - 1);
                kept.Unused = Math.Min(kept.Unused, kept.Blocks.Count);
                _keptBytes -= (long)size;
                return (void*)block;
            }
        }

        return SystemPages.Take(size);
    }

    private void Keep(void* block, nuint size)
    {
        lock (_lock)
        {
            if (!_kept.TryGetValue(size, out var kept))
            {
                kept = _kept[size] = new Kept();
            }

            kept.Blocks.Add((nint)block);
            _keptBytes += (long)size;
            if (!_armed)
            {
                _armed = true;
                _timer.Change(Period, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Trim()
    {
        Release(static kept => kept.Unused);
        lock (_lock)
        {
            foreach (var kept in _kept.Values)
            {
                kept.Unused = kept.Blocks.Count;
            }

            _armed = _keptBytes > 0;
            if (_armed)
            {
                _timer.Change(Period, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Gives kept blocks back to the system, those first that were kept first.</summary>
    private void Release(Func<Kept, int> countOf)
    {
        List<(nint Block, nuint Size)> released = [];
        lock (_lock)
        {
            foreach (var (size, kept) in _kept)
            {
                var count = countOf(kept);
                released.AddRange(kept.Blocks.Take(count).Select(block => (block, size)));
                kept.Blocks.RemoveRange(0, count);
                kept.Unused = Math.Min(kept.Unused, kept.Blocks.Count);
                _keptBytes -= (long)size * count;
            }
        }

        foreach (var (block, size) in released)
        {
            SystemPages.GiveBack((void*)block, size);
        }
    }

    private struct Header
    {
        public long Size;
        public long Owner;
    }

    /// <summary>Blocks of one size.</summary>
    private sealed class Kept
    {
        public List<nint> Blocks { get; } = [];

        /// <summary>The fewest that there were since the period began: so many were of no use.</summary>
        public int Unused { get; set; }
    }
}
