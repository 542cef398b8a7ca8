namespace Cluster.Grains.Memory;

/// <summary>The most that a run of one model was seen to take lately. Safe from any thread.</summary>
internal sealed class RunMemory(TimeProvider time)
{
    /// <summary>A run counts for one to two of these.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>A change of less than an eighth is not told.</summary>
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
