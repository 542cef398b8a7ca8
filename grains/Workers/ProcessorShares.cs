namespace Cluster.Grains.Workers;

/// <summary>
/// Which replicas of a silo take more than their fair share of its processors. That is the processors, divided by the replicas that ran within the last ten seconds. Time is
/// counted in windows of a second. Safe from any thread.
/// </summary>
/// <param name="processors">That inference may use, at least 1.</param>
internal sealed class ProcessorShares(TimeProvider time, int processors)
{
    /// <summary>Windows that a replica counts as active for after a run.</summary>
    private const int Memory = 10;

    private readonly Lock _gate = new();
    private readonly int[] _activeIn = new int[Memory];
    private long _window;
    private int _active;

    /// <summary>The share of one replica.</summary>
    public ProcessorShare Create() => new(this);

    /// <summary>The window that is now.</summary>
    public long Window => time.GetTimestamp() / time.TimestampFrequency;

    /// <summary>Nanoseconds of a window that one replica may run for before it takes from others; null while no other is active.</summary>
    public double? Fair => Volatile.Read(ref _active) is > 1 and var active ? processors * 1e9 / active : null;

    /// <summary>Counts a replica as active in <paramref name="window"/> in place of <paramref name="before"/>, the window of its run before this.</summary>
    public void Move(long before, long window)
    {
        lock (_gate)
        {
            for (var next = Math.Max(_window + 1, window - Memory + 1); next <= window; next++)
            {
                _activeIn[next % Memory] = 0;
            }

            _window = Math.Max(_window, window);
            if (window <= _window - Memory)
            {
                return;
            }

            if (before > _window - Memory)
            {
                _activeIn[before % Memory]--;
            }

            _activeIn[window % Memory]++;
            Volatile.Write(ref _active, _activeIn.Sum());
        }
    }
}

/// <summary>What one replica has used of the processors. Safe from any thread.</summary>
internal sealed class ProcessorShare(ProcessorShares shares)
{
    private readonly Lock _gate = new();
    private long _window = -1_000;
    private long _now;
    private long _before;

    /// <summary>Whether the replica took more than its fair share in this window or the one before.</summary>
    public bool IsOverdrawn
    {
        get
        {
            if (shares.Fair is not { } fair)
            {
                return false;
            }

            var window = shares.Window;
            lock (_gate)
            {
                return (window - _window) switch
                {
                    0 => Math.Max(_now, _before) > fair,
                    1 => _now > fair,
                    _ => false,
                };
            }
        }
    }

    /// <summary>Counts a run of so many nanoseconds that ended now.</summary>
    public void Ran(long nanoseconds)
    {
        var window = shares.Window;
        var last = window;
        if (window == Volatile.Read(ref _window))
        {
            // Where the next window begins meanwhile, the run counts for that.
            Interlocked.Add(ref _now, nanoseconds);
            return;
        }

        lock (_gate)
        {
            if (window > _window)
            {
                last = _window;
                var now = Interlocked.Exchange(ref _now, 0);
                _before = window == _window + 1 ? now : 0;
                Volatile.Write(ref _window, window);
            }

            Interlocked.Add(ref _now, nanoseconds);
        }

        if (last < window)
        {
            shares.Move(last, window);
        }
    }
}
