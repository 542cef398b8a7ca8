using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// The calls whose callers wait, for their time-outs: intrusive lists in a few shards, swept now and then, so that a call
/// costs no timer. A time-out is noticed up to one sweep interval late.
/// </summary>
internal sealed class PendingCalls(TimeProvider time, TimeSpan defaultTimeout)
{
    private readonly Shard[] _shards = CreateShards();

    public long Count
    {
        get
        {
            var count = 0L;
            foreach (var shard in _shards)
            {
                count += Volatile.Read(ref shard.Count);
            }

            return count;
        }
    }

    public void Add(GrainCall call)
    {
        var timeout = TimeoutOf(call);
        call.Deadline = timeout == Timeout.InfiniteTimeSpan
            ? long.MaxValue
            : time.GetTimestamp() + (long)(timeout.TotalSeconds * time.TimestampFrequency);
        var index = Thread.GetCurrentProcessorId() & (_shards.Length - 1);
        var shard = _shards[index];
        lock (shard.Gate)
        {
            call.PendingShard = index;
            call.NextPending = shard.First;
            if (shard.First is not null)
            {
                shard.First.PreviousPending = call;
            }

            shard.First = call;
            shard.Count++;
        }
    }

    public void Remove(GrainCall call)
    {
        var shard = _shards[call.PendingShard];
        lock (shard.Gate)
        {
            if (call.PreviousPending is not null)
            {
                call.PreviousPending.NextPending = call.NextPending;
            }
            else
            {
                shard.First = call.NextPending;
            }

            if (call.NextPending is not null)
            {
                call.NextPending.PreviousPending = call.PreviousPending;
            }

            call.NextPending = call.PreviousPending = null;
            shard.Count--;
        }
    }

    /// <summary>Until a listed call's time-out, less than nothing if it is overdue; null: it has none.</summary>
    public TimeSpan? TimeLeft(GrainCall call) =>
        call.Deadline == long.MaxValue ? null : TimeSpan.FromSeconds((call.Deadline - time.GetTimestamp()) / (double)time.TimestampFrequency);

    /// <summary>Ends the calls whose time is over.</summary>
    public void Sweep()
    {
        var now = time.GetTimestamp();
        foreach (var shard in _shards)
        {
            foreach (var call in Overdue(shard, now))
            {
                call.TimeOut(TimeoutOf(call));
            }
        }
    }

    private TimeSpan TimeoutOf(GrainCall call) => call.TimeLeft ?? call.Method.ResponseTimeout ?? defaultTimeout;

    private static List<GrainCall> Overdue(Shard shard, long now)
    {
        List<GrainCall>? overdue = null;
        lock (shard.Gate)
        {
            for (var call = shard.First; call is not null; call = call.NextPending)
            {
                if (call.Deadline <= now)
                {
                    (overdue ??= []).Add(call);
                }
            }
        }

        return overdue ?? [];
    }

    private static Shard[] CreateShards()
    {
        var shards = new Shard[Math.Min(64, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount))];
        for (var i = 0; i < shards.Length; i++)
        {
            shards[i] = new Shard();
        }

        return shards;
    }

    private sealed class Shard
    {
        public readonly Lock Gate = new();
        public GrainCall? First;
        public int Count;
    }
}
