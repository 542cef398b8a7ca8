using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Workers;

/// <summary>
/// Finds runs of one replica that do not end. A run is overdue after <see cref="ReplicaQueue.StuckAfter"/>, or after four times the longest run that was answered, whichever is
/// more. ONNX Runtime is asked to end it, which it does between two operators. A run that goes on at the next look is stuck: its slot is lost until it ends, and its thread is replaced.
/// </summary>
/// <param name="gate">The lock of the queue.</param>
internal sealed class RunWatch(ReplicaQueue queue, SlotTimes slots, Lock gate, ILogger logger)
{
    /// <summary>Runs of one model differ with their requests.</summary>
    private const int LongestRuns = 4;

    /// <summary>Of the limit, how long the session's run has taken at least: binding inputs came before it.</summary>
    private const double SessionShare = 0.9;

    private readonly HashSet<IInferenceWork> _overdue = [];
    private readonly HashSet<IInferenceWork> _stuck = [];

    /// <summary>Runs that did not end when they were asked to.</summary>
    public int Stuck
    {
        get
        {
            lock (gate)
            {
                return _stuck.Count;
            }
        }
    }

    /// <summary>What has ended holds no slot any more. Called with the lock held.</summary>
    public void Ended(IInferenceWork work)
    {
        if (_overdue.Count + _stuck.Count > 0)
        {
            _overdue.Remove(work);
            _stuck.Remove(work);
            queue.Metrics.StuckChanged(_stuck.Count);
        }
    }

    /// <summary>Looks at what runs; called by one thread at a time.</summary>
    /// <returns>Whether runs that are stuck have all slots.</returns>
    public bool Look()
    {
        if (queue.StuckAfter == TimeSpan.Zero)
        {
            return false;
        }

        List<IInferenceWork> lost = [];
        TimeSpan limit;
        var asked = 0;
        bool all;
        lock (gate)
        {
            limit = Limit();
            foreach (var work in slots.Works.Where(work => work.Began is { } began && queue.Time.GetElapsedTime(began) >= limit && !_stuck.Contains(work)))
            {
                if (_overdue.Add(work))
                {
                    asked++;
                }
                else
                {
                    lost.Add(work);
                }
            }

            foreach (var work in lost)
            {
                _overdue.Remove(work);
                _stuck.Add(work);
            }

            queue.Metrics.StuckChanged(_stuck.Count);
            all = _stuck.Count > 0 && _stuck.Count >= queue.Slots;
        }

        if (asked > 0)
        {
            Log.RunsOverdue(logger, asked, queue.Model.Name, queue.Model.Version, limit.TotalSeconds);
            queue.Model.EndRuns(limit * SessionShare);
        }

        foreach (var work in lost)
        {
            Log.RunStuck(logger, queue.Model.Name, queue.Model.Version, queue.Time.GetElapsedTime(work.Began!.Value).TotalSeconds);
            queue.Workers.Replace(work);
        }

        return all;
    }

    private TimeSpan Limit() => slots.LongestRun * LongestRuns is var longest && longest > queue.StuckAfter ? longest : queue.StuckAfter;
}
