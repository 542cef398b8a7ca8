using Cluster.Contracts.Inference;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Batching;

namespace Cluster.Grains.Workers;

/// <summary>Requests that have one slot together.</summary>
internal sealed class InferenceBatch(ReplicaQueue queue, List<InferenceJob> jobs) : IInferenceWork
{
    /// <summary>Timestamp, before the first one until then.</summary>
    private long _began = -1;

    public IReadOnlyList<InferenceJob> Jobs => jobs;

    /// <inheritdoc/>
    public ProcessorShare Share => queue.Share;

    /// <inheritdoc/>
    public long? Began => Volatile.Read(ref _began) is >= 0 and var began ? began : null;

    /// <inheritdoc/>
    /// <remarks>As <see cref="InferenceJob.Execute"/>, for all that fit together. The others go back to the queue, each to run by itself: what is wrong with one harms no other.</remarks>
    public IInferenceWork? Execute()
    {
        var start = queue.Time.GetTimestamp();
        Volatile.Write(ref _began, start);
        var queued = jobs.ConvertAll(static job => job.Begin());
        var replies = new InferReply?[jobs.Count];
        var times = new RunTimes[jobs.Count];
        for (var i = 0; i < jobs.Count; i++)
        {
            replies[i] = jobs[i].TooLate(queued[i]);
        }

        Run(replies, times, out var run);
        var left = new List<InferenceJob>();
        for (var i = 0; i < jobs.Count; i++)
        {
            if (replies[i] is { } reply)
            {
                jobs[i].End(reply, queued[i], times[i], isAlone: false);
            }
            else
            {
                jobs[i].SendBack();
                left.Add(jobs[i]);
            }
        }

        // The slot goes back before the answers, so that an answered caller finds it free.
        var next = queue.Release(this, run, (long)queue.Time.GetElapsedTime(start).TotalNanoseconds, left);
        for (var i = 0; i < jobs.Count; i++)
        {
            if (replies[i] is { } reply)
            {
                queue.Workers.Answer(jobs[i], reply);
            }
        }

        return next;
    }

    /// <inheritdoc/>
    /// <remarks>Each pays for its rows, also one that was too late or did not fit: its caller had it run with the others.</remarks>
    public void Charge(double cost)
    {
        var rows = jobs.Sum(static job => (long)job.Facts.Rows);
        jobs.ForEach(job => job.Charge(cost * job.Facts.Rows / rows));
    }

    /// <param name="replies">Those that are not answered yet take part; they stay null where they are to run by themselves.</param>
    /// <param name="run">Nanoseconds of all runs; null where there was none.</param>
    private void Run(InferReply?[] replies, RunTimes[] times, out long? run)
    {
        long? sum = null;
        var items = Array.ConvertAll(replies, static reply => reply is null).Select((takesPart, i) => takesPart ? new BatchItem(jobs[i].Request.Message, jobs[i].Cancellation) : null).ToArray();
        var taking = items.OfType<BatchItem>().ToList();
        if (taking.Count > 1)
        {
            var alone = queue.Workers.RunBegins() == 1;
            try
            {
                queue.Model.RunBatch(taking, alone, queue.Metrics, executed =>
                {
                    queue.Statistics.Executed(executed.Times, executed.Requests);
                    sum = (sum ?? 0) + executed.Times.Total;
                });
            }
            catch (Exception exception)
            {
                // The boundary of a run, as of a single one. Requests without an answer run by themselves.
                queue.Report(exception);
            }
            finally
            {
                queue.Workers.RunEnds();
            }
        }

        for (var i = 0; i < items.Length; i++)
        {
            if (items[i] is { Reply: { } reply } item)
            {
                (replies[i], times[i]) = (reply, item.Times);
            }
        }

        run = sum;
    }
}
