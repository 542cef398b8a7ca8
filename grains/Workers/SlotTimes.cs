namespace Cluster.Grains.Workers;

/// <summary>
/// Since when the slots of a replica are taken, which tells when they will be free. Runs count as ending in the order in which they began. Changed under the lock of its queue;
/// <see cref="Taken"/> is read by any thread.
/// </summary>
internal sealed class SlotTimes
{
    private long[] _since = new long[4];
    private int _first;
    private int _taken;

    /// <summary>Slots that are taken.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>Takes a slot.</summary>
    /// <param name="now">Timestamp.</param>
    public void Take(long now)
    {
        if (_taken == _since.Length)
        {
            Grow();
        }

        _since[(_first + _taken) % _since.Length] = now;
        Volatile.Write(ref _taken, _taken + 1);
    }

    /// <summary>Gives back the slot that was taken first.</summary>
    public void Release()
    {
        _first = (_first + 1) % _since.Length;
        Volatile.Write(ref _taken, _taken - 1);
    }

    /// <summary>Gives the slot that was taken first to the next run, so that it never looks free.</summary>
    /// <param name="now">Timestamp.</param>
    public void Pass(long now)
    {
        _since[(_first + _taken) % _since.Length] = now;
        _first = (_first + 1) % _since.Length;
    }

    /// <summary>When the slot was taken that is free after <paramref name="others"/> of the others; 0 is the first. Timestamp.</summary>
    public long Since(int others) => _since[(_first + others) % _since.Length];

    private void Grow()
    {
        var larger = new long[2 * _since.Length];
        for (var i = 0; i < _taken; i++)
        {
            larger[i] = Since(i);
        }

        (_since, _first) = (larger, 0);
    }
}
