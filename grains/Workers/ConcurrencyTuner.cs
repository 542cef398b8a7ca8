namespace Cluster.Grains.Workers;

/// <summary>
/// Finds the number of runs at once with which a replica answers most. While requests wait, it measures the rate of runs with one slot more or fewer, and stays there
/// if that pays. One more has to raise the rate, one fewer must not lower it. A change that did not pay is tried again later and later. Used under the lock of its
/// queue. Any thread may read <see cref="Limit"/>.
/// </summary>
/// <param name="start">Slots to begin with, at least 1.</param>
/// <param name="most">The most slots, at least <paramref name="start"/>.</param>
internal sealed class ConcurrencyTuner(int start, int most, TimeProvider time)
{
    /// <summary>One slot more is kept where the rate grows by at least this share.</summary>
    private const double LeastGain = 0.03;

    /// <summary>One slot fewer is kept where the rate falls by no more than this share.</summary>
    private const double MostLoss = 0.01;

    /// <summary>A rate is of at least so many runs: fewer tell more of chance than of the slots.</summary>
    private const int LeastRuns = 64;

    /// <summary>Windows between two trials while none pays, at most.</summary>
    private const int LongestRest = 64;

    private static readonly TimeSpan LeastTime = TimeSpan.FromMilliseconds(500);

    private int _limit = start;
    private int _step = 1;
    private bool _isTrying;
    private double _rate;
    private int _rest;
    private int _rested;
    private long? _since;
    private int _runs;

    /// <summary>Slots now, from 1.</summary>
    public int Limit => Volatile.Read(ref _limit);

    /// <summary>Notes the end of a run.</summary>
    /// <param name="isBusy">Whether requests wait: only then the slots decide on the rate.</param>
    /// <param name="hasRun">False for a run that failed or was given up, which says nothing of the rate.</param>
    /// <returns>Whether <see cref="Limit"/> is another now.</returns>
    public bool Ran(bool isBusy, bool hasRun = true)
    {
        if (!isBusy)
        {
            Begin(isBusy: false);
            return EndTrial();
        }

        if (_since is not { } since)
        {
            Begin(isBusy: true);
            return false;
        }

        _runs += hasRun ? 1 : 0;
        var took = time.GetElapsedTime(since);
        if (_runs < LeastRuns || took < LeastTime)
        {
            return false;
        }

        var before = _limit;
        Decide(_runs / took.TotalSeconds);
        Begin(isBusy: true);
        return _limit != before;
    }

    private void Begin(bool isBusy) => (_since, _runs) = (isBusy ? time.GetTimestamp() : null, 0);

    /// <summary>A trial amid which the load went is none: the next load may have another rate.</summary>
    private bool EndTrial()
    {
        if (!_isTrying)
        {
            return false;
        }

        _isTrying = false;
        Volatile.Write(ref _limit, _limit - _step);
        return true;
    }

    private void Decide(double rate)
    {
        if (!_isTrying)
        {
            if (++_rested > _rest)
            {
                Try(rate);
            }

            return;
        }

        _isTrying = false;
        if (_step > 0 ? rate >= _rate * (1 + LeastGain) : rate >= _rate * (1 - MostLoss))
        {
            _rest = 0;
            Try(rate);
            return;
        }

        Volatile.Write(ref _limit, _limit - _step);
        (_step, _rested, _rest) = (-_step, 0, Math.Clamp(2 * _rest, 1, LongestRest));
    }

    private void Try(double rate)
    {
        if (most == 1)
        {
            return;
        }

        _step = _limit == 1 ? 1 : _limit == most ? -1 : _step;
        (_isTrying, _rate) = (true, rate);
        Volatile.Write(ref _limit, _limit + _step);
    }
}
