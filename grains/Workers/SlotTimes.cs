using Cluster.Contracts.Inference;

namespace Cluster.Grains.Workers;

/// <summary>
/// Which work has the slots of a replica, since when they are taken, and what runs took: that tells when they will be free. Runs count as ending in the order in which they began. Used
/// under the lock of its queue; <see cref="Taken"/> is read by any thread.
/// </summary>
internal sealed class SlotTimes
{
    /// <summary>Weight of the newest run in the mean; a sixteenth follows load changes within some tens of runs.</summary>
    private const double MeanWeight = 1.0 / 16;

    /// <summary>Runs that take less than this on average stay on their caller's thread: to wake another one and to come back costs about as much.</summary>
    private const double ShortRunNanoseconds = 25_000;

    /// <summary>A request of more bytes may take longer than the others did.</summary>
    private const int ShortRunBytes = 16 * 1024;

    /// <summary>A run of this length must not hold its caller's thread again soon, however short the others are.</summary>
    private const double LongRunNanoseconds = 10_000_000;

    /// <summary>Runs after a long one that go to inference threads.</summary>
    private const int RunsAfterLong = 1000;

    private readonly List<IInferenceWork> _works = new(4);
    private long[] _since = new long[4];
    private int _first;
    private int _taken;
    private double _meanNanoseconds;
    private long _longestNanoseconds;
    private int _notHere;

    /// <summary>Slots that are taken.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>What has them, in no order; it may wait for a thread.</summary>
    public IReadOnlyList<IInferenceWork> Works => _works;

    /// <summary>Takes a slot.</summary>
    /// <param name="now">Timestamp.</param>
    public void Take(long now, IInferenceWork work)
    {
        if (_taken == _since.Length)
        {
            Grow();
        }

        _works.Add(work);
        _since[(_first + _taken) % _since.Length] = now;
        Volatile.Write(ref _taken, _taken + 1);
    }

    /// <summary>Gives back the slot that was taken first.</summary>
    /// <param name="done">Has none any more.</param>
    public void Release(IInferenceWork done)
    {
        _works.Remove(done);
        _first = (_first + 1) % _since.Length;
        Volatile.Write(ref _taken, _taken - 1);
    }

    /// <summary>Gives the slot that was taken first to the next run, so that it never looks free.</summary>
    /// <param name="now">Timestamp.</param>
    /// <param name="done">Has none any more.</param>
    public void Pass(long now, IInferenceWork done, IInferenceWork next)
    {
        _works[_works.IndexOf(done)] = next;
        _since[(_first + _taken) % _since.Length] = now;
        _first = (_first + 1) % _since.Length;
    }

    /// <summary>When the slot was taken that is free after <paramref name="others"/> of the others; 0 is the first. Timestamp.</summary>
    public long Since(int others) => _since[(_first + others) % _since.Length];

    /// <summary>Of the runs that were answered; zero before the first.</summary>
    public TimeSpan MeanRun => TimeSpan.FromMicroseconds(_meanNanoseconds / 1000);

    /// <inheritdoc cref="MeanRun"/>
    public TimeSpan LongestRun => TimeSpan.FromMicroseconds(_longestNanoseconds / 1000.0);

    /// <summary>Whether the request's own thread may run it.</summary>
    public bool IsShort(InferRequest request) =>
        _notHere == 0 && _meanNanoseconds is > 0 and < ShortRunNanoseconds && request.Message.Length <= ShortRunBytes;

    /// <summary>A run is over.</summary>
    /// <param name="answered">Nanoseconds of the run, null where it failed.</param>
    /// <param name="took">Nanoseconds of the run, also of one that failed.</param>
    public void Ran(long? answered, long took)
    {
        _notHere = took >= LongRunNanoseconds ? RunsAfterLong : Math.Max(0, _notHere - 1);
        if (answered is { } run)
        {
            _meanNanoseconds = _meanNanoseconds == 0 ? run : _meanNanoseconds + ((run - _meanNanoseconds) * MeanWeight);
            _longestNanoseconds = Math.Max(_longestNanoseconds, run);
        }
    }

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
