using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Workers;

/// <summary>Whether a queue takes a request while all its slots are taken, and how long it would wait. Called under the queue's lock.</summary>
/// <param name="limit">Requests that may wait.</param>
/// <param name="longestWait">Expected wait above which a request is refused; null for none.</param>
internal sealed class QueueAdmission(ReplicaQueue queue, WaitingLine waiting, SlotTimes slots, int limit, TimeSpan? longestWait)
{
    /// <summary>Why a request is not taken; null where it is.</summary>
    /// <param name="level">Its priority.</param>
    /// <param name="displaced">Jobs that the request takes the place of, taken out of the queue; null for none.</param>
    public Failure? Refusal(InferRequest request, int level, ref List<InferenceJob>? displaced)
    {
        var wait = ExpectedWait(level, request.Share);
        var (isLong, isLate) = (wait > longestWait, wait + slots.MeanRun > request.Timeout);
        var (before, beforeBytes, added) = (waiting.CountBefore(level), waiting.BytesBefore(level), request.Message.Length);
        var excess = beforeBytes > 0 ? beforeBytes + added - queue.MaxBytes : 0;
        if (before < limit && excess <= 0)
        {
            return isLong ? QueueRefusals.TooLong(queue.Model, wait, longestWait!.Value)
                : isLate ? QueueRefusals.TooLate(queue.Model, request.Timeout!.Value, wait, slots.MeanRun)
                : null;
        }

        displaced = isLong || isLate ? null : waiting.MakeRoom(level, request.Share, added, before + 1 - limit, excess);
        return displaced is not null ? null
            : before >= limit ? QueueRefusals.Full(queue.Model, waiting.Count, limit, wait)
            : QueueRefusals.FullOfBytes(queue.Model, beforeBytes, added, queue.MaxBytes, wait);
    }

    /// <summary>
    /// Until a request of this priority and caller would start, if none of a higher priority came and each run took the mean. Stuck runs give no slot back, and are those that
    /// began first. Where they have all slots, one counts as if it did.
    /// </summary>
    private TimeSpan ExpectedWait(int level, CallerShare share)
    {
        var stuck = Math.Min(queue.Watch.Stuck, slots.Taken - 1);
        var (rounds, others) = Math.DivRem(waiting.RowsBefore(level, share) / queue.Model.Batching.MaxSize, slots.Taken - stuck);
        var left = slots.MeanRun - queue.Time.GetElapsedTime(slots.Since(stuck + (int)others));
        return (left > TimeSpan.Zero ? left : TimeSpan.Zero) + (slots.MeanRun * rounds);
    }
}
