namespace Cluster.Grains.Memory;

/// <summary>
/// What a load or a run takes of ONNX Runtime's memory: blocks that its thread asks for. ONNX Runtime allocates tensors on the thread that loads or runs; what its other threads
/// ask for counts for the process alone. One a thread, used again.
/// </summary>
internal sealed class MemoryUse
{
    private static long _last;

    [ThreadStatic]
    private static MemoryUse? _current;

    /// <summary>Of this thread; null outside of loads and runs.</summary>
    public static MemoryUse? Current => _current;

    /// <summary>Tells this use from all others of the process.</summary>
    public long Id { get; private set; }

    /// <summary>Bytes that were taken and not given back.</summary>
    public long Bytes { get; private set; }

    /// <summary>The most that <see cref="Bytes"/> has been.</summary>
    public long Peak { get; private set; }

    /// <summary>The bytes that were asked for and refused, the first of them; 0 where all was given.</summary>
    public long Refused { get; private set; }

    /// <summary>The bytes held when the first block was refused. They are given back as the run ends.</summary>
    public long HeldAtRefusal { get; private set; }

    /// <summary>The most that may be taken.</summary>
    public long Limit { get; private set; }

    /// <summary>Begins to count from zero on this thread.</summary>
    /// <param name="limit">The most that may be taken.</param>
    public void Begin(long limit = long.MaxValue)
    {
        Id = Interlocked.Increment(ref _last);
        (Bytes, Peak, Refused, HeldAtRefusal, Limit) = (0, 0, 0, 0, limit);
        _current = this;
    }

    /// <summary>Clears the count, so that a request that does not run does not get the count of the one before.</summary>
    public void Clear() => (Bytes, Peak, Refused, HeldAtRefusal) = (0, 0, 0, 0);

    /// <summary>Ends the counting on this thread; the figures stay.</summary>
    public static void End() => _current = null;

    /// <summary>Whether the first refused block would not fit under <paramref name="limit"/> either if nothing else were in memory.</summary>
    public bool IsBeyond(long limit) => Refused > limit - HeldAtRefusal;

    public bool MayTake(nuint bytes) => bytes <= (nuint)Math.Max(0, Limit - Bytes);

    public void Take(long bytes)
    {
        Bytes += bytes;
        Peak = Math.Max(Peak, Bytes);
    }

    /// <param name="owner">Who took it: what others took is not this one's to give back.</param>
    public void GiveBack(long owner, long bytes) => Bytes -= owner == Id ? bytes : 0;

    public void Refuse(nuint bytes)
    {
        if (Refused == 0)
        {
            (Refused, HeldAtRefusal) = ((long)Math.Min(bytes, long.MaxValue), Bytes);
        }
    }
}

/// <summary>The most that a run of one model was seen to take lately. Safe from any thread.</summary>
internal sealed class RunMemory(TimeProvider time)
{
    /// <summary>A run counts for one to two of these.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>A change of less than an eighth is not reported.</summary>
    private const int Grain = 8;

    private readonly Lock _lock = new();
    private long _current;
    private long _before;
    private long _began = time.GetTimestamp();
    private long _told;

    /// <summary>Called with the new figure when it has changed by enough.</summary>
    public event Action<long>? Changed;

    /// <summary>Bytes.</summary>
    public long Peak => Volatile.Read(ref _told);

    /// <param name="peak">What a run took, bytes.</param>
    public void Note(long peak)
    {
        if (peak <= Volatile.Read(ref _current) && time.GetElapsedTime(Volatile.Read(ref _began)) < Window)
        {
            return;
        }

        long told;
        lock (_lock)
        {
            if (time.GetElapsedTime(_began) is var age && age >= Window)
            {
                _before = age < 2 * Window ? _current : 0;
                _current = 0;
                _began = time.GetTimestamp();
            }

            _current = Math.Max(_current, peak);
            told = Math.Max(_current, _before);
            if (Math.Abs(told - _told) <= _told / Grain)
            {
                return;
            }

            _told = told;
        }

        Changed?.Invoke(told);
    }
}
