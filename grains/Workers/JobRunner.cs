using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Logging;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;
using Cluster.Grains.Tracing;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Workers;

/// <summary>Runs what has a slot of one replica, on the calling thread, answers it and counts what became of it. Safe from any thread.</summary>
internal sealed class JobRunner(
    ReplicaQueue queue,
    IQueuedModel model,
    InferenceWorkers workers,
    ReplicaStatisticsRecorder statistics,
    ReplicaMetrics metrics,
    TimeProvider time,
    ILogger logger)
{
    private readonly CauseLimiter _errors = new(time);

    /// <summary>Runs one job.</summary>
    /// <returns>What gets the slot next.</returns>
    public IInferenceWork? Execute(InferenceJob job, SessionRunner runner)
    {
        var queued = Start(job);
        var reply = Run(job, queued, runner, out var times);
        if (reply.Succeeded)
        {
            statistics.Executed(times);
        }

        var took = End(job, reply, queued, times) - queued;
        var next = queue.Release(reply.Succeeded ? times.Total : null, took, []);
        workers.Answer(job, reply);
        return next;
    }

    /// <summary>Runs jobs together where they fit together. The others go back to the queue, each to run by itself: what is wrong with one harms no other.</summary>
    /// <returns>What gets the slot next.</returns>
    public IInferenceWork? Execute(List<InferenceJob> jobs, SessionRunner runner)
    {
        var start = time.GetTimestamp();
        var queued = jobs.ConvertAll(Start);
        var replies = new InferReply?[jobs.Count];
        var times = new RunTimes[jobs.Count];
        for (var i = 0; i < jobs.Count; i++)
        {
            replies[i] = TooLate(jobs[i], queued[i]);
        }

        RunTogether(jobs, replies, times, runner, out var run);
        var left = new List<InferenceJob>();
        for (var i = 0; i < jobs.Count; i++)
        {
            if (replies[i] is { } reply)
            {
                End(jobs[i], reply, queued[i], times[i]);
            }
            else
            {
                jobs[i].RunsByItself = true;
                metrics.RequestSentBack();
                left.Add(jobs[i]);
            }
        }

        // The slot goes back before the answers, so that an answered caller finds it free.
        var next = queue.Release(run, NanosecondsSince(start), left);
        for (var i = 0; i < jobs.Count; i++)
        {
            if (replies[i] is { } reply)
            {
                workers.Answer(jobs[i], reply);
            }
        }

        return next;
    }

    private long Start(InferenceJob job)
    {
        var queued = NanosecondsSince(job.Arrived);
        if (job.RunsByItself)
        {
            metrics.RequestResumed();
        }
        else
        {
            metrics.RequestStarted(TimeSpan.FromMicroseconds(queued / 1000.0));
        }

        return queued;
    }

    /// <returns>Nanoseconds since the arrival.</returns>
    private long End(InferenceJob job, InferReply reply, long queued, in RunTimes times)
    {
        var total = NanosecondsSince(job.Arrived);
        metrics.RequestEnded();
        if (reply.Succeeded)
        {
            statistics.Succeeded(total, queued, times);
        }
        else if (reply.Failure.Code == StatusCode.Cancelled)
        {
            statistics.Cancelled(total);
        }
        else
        {
            statistics.Failed(total);
        }

        ReplicaSpans.Ran(job.Span, time, queued, total, times, reply.Failure);
        return total;
    }

    private InferReply? TooLate(InferenceJob job, long queued)
    {
        if (job.Cancellation.IsCancellationRequested)
        {
            metrics.Rejected(RejectionReason.Cancelled);
            return InferReply.Failed(Failure.Cancelled("the caller gave up before the request could run"));
        }

        if (job.Request.Timeout is { } timeout && queued > timeout.TotalNanoseconds)
        {
            metrics.Rejected(RejectionReason.Deadline);
            return InferReply.Failed(Failure.DeadlineExceeded(
                $"the deadline passed after {queued / 1_000_000} ms in the queue of model '{model.Name}' version {model.Version}"));
        }

        return null;
    }

    private InferReply Run(InferenceJob job, long queued, SessionRunner runner, out RunTimes times)
    {
        times = default;
        if (TooLate(job, queued) is { } late)
        {
            return late;
        }

        var alone = workers.RunBegins() == 1;
        try
        {
            return InferReply.Success(model.Run(runner, job.Request.Message, alone, metrics, out times, job.Cancellation));
        }
        catch (ServingException exception)
        {
            return InferReply.Failed(exception.Failure);
        }
        catch (Exception exception)
        {
            // The edge of a run, which has no caller to catch it: no failure of one request may end the process.
            Report(exception);
            return InferReply.Failed(Failure.Internal($"internal error while running model '{model.Name}' version {model.Version}"));
        }
        finally
        {
            workers.RunEnds();
        }
    }

    /// <param name="replies">Those that are not answered yet take part; they stay null where they are to run by themselves.</param>
    /// <param name="run">Nanoseconds of all runs; null where there was none.</param>
    private void RunTogether(List<InferenceJob> jobs, InferReply?[] replies, RunTimes[] times, SessionRunner runner, out long? run)
    {
        long? sum = null;
        var items = Array.ConvertAll(replies, static reply => reply is null).Select((takesPart, i) => takesPart ? new BatchItem(jobs[i].Request.Message, jobs[i].Cancellation) : null).ToArray();
        var taking = items.OfType<BatchItem>().ToList();
        if (taking.Count > 1)
        {
            var alone = workers.RunBegins() == 1;
            try
            {
                model.RunBatch(runner, taking, alone, metrics, executed =>
                {
                    statistics.Executed(executed.Times, executed.Requests);
                    sum = (sum ?? 0) + executed.Times.Total;
                });
            }
            catch (Exception exception)
            {
                // The edge of a run, as above: what has no answer yet runs by itself.
                Report(exception);
            }
            finally
            {
                workers.RunEnds();
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

    private void Report(Exception exception)
    {
        if (_errors.TryPass(exception.GetType().Name, out var heldBack))
        {
            Log.UnexpectedError(logger, exception, model.Name, model.Version, heldBack);
        }
    }

    private long NanosecondsSince(long timestamp) => (long)time.GetElapsedTime(timestamp).TotalNanoseconds;
}
