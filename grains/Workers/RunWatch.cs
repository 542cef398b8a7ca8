using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Workers;

/// <summary>
/// Finds runs of one replica that do not end. A run is overdue after <see cref="ReplicaQueue.StuckAfter"/>, or after four times the longest run that was answered, whichever is
/// more. ONNX Runtime is asked to end it, which it does between two operators. A run that goes on at the next look is stuck: its slot is lost until it ends, and its thread is replaced.
/// Requests of a run of several that was to end get one more limit together, see <see cref="EndedBatch"/>.
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
    /// <param name="took">Since it began.</param>
    /// <param name="left">Jobs that are to run by themselves.</param>
    public void Ended(IInferenceWork work, TimeSpan took, List<InferenceJob> left)
    {
        (work as InferenceJob)?.Batch?.Ended(took);
        if (_overdue.Count + _stuck.Count == 0)
        {
            return;
        }

        if ((_overdue.Remove(work) | _stuck.Remove(work)) && left.Count > 0)
        {
            var batch = new EndedBatch(Limit(), left.Count);
            left.ForEach(job => job.Batch = batch);
        }

        queue.Metrics.StuckChanged(_stuck.Count);
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
        List<(InferenceJob Job, TimeSpan Limit)> apart = [];
        TimeSpan limit;
        var asked = 0;
        bool all;
        lock (gate)
        {
            limit = Limit();
            foreach (var work in slots.Works.Where(work => work.Began is { } began && queue.Time.GetElapsedTime(began) >= LimitOf(work) && !_stuck.Contains(work)))
            {
                if (_overdue.Add(work))
                {
                    asked++;
                    if (work is InferenceJob { Batch: not null } job)
                    {
                        apart.Add((job, LimitOf(job)));
                    }
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
            if (asked > apart.Count)
            {
                queue.Model.EndRuns(limit * SessionShare, null);
            }

            apart.ForEach(one => queue.Model.EndRuns(one.Limit * SessionShare, one.Job.Request.Message));
        }

        foreach (var work in lost)
        {
            Log.RunStuck(logger, queue.Model.Name, queue.Model.Version, queue.Time.GetElapsedTime(work.Began!.Value).TotalSeconds);
            queue.Workers.Replace(work);
        }

        return all;
    }

    private TimeSpan LimitOf(IInferenceWork work) => work is InferenceJob { Batch: { } batch } ? batch.Part : Limit();

    private TimeSpan Limit() => slots.LongestRun * LongestRuns is var longest && longest > queue.StuckAfter ? longest : queue.StuckAfter;
}
