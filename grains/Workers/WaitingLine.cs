using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Workers;

/// <summary>The requests of one replica that wait for a slot: by priority, those of one priority in the order of arrival. Guarded by its queue's lock.</summary>
internal sealed class WaitingLine
{
    private readonly LinkedList<InferenceJob>[] _levels;
    private readonly long[] _rows;
    private readonly long[] _bytes;

    /// <param name="levels">Priorities, at least 1.</param>
    public WaitingLine(int levels)
    {
        _levels = new LinkedList<InferenceJob>[levels];
        _rows = new long[levels];
        _bytes = new long[levels];
        for (var i = 0; i < levels; i++)
        {
            _levels[i] = [];
        }
    }

    public int Count { get; private set; }

    public void Add(InferenceJob job)
    {
        job.Node = _levels[job.Facts.Level].AddLast(job);
        Tally(job, 1);
    }

    /// <summary>Puts jobs that a run of several has left at the start of their priorities, in their order.</summary>
    public void PutBack(List<InferenceJob> jobs)
    {
        for (var i = jobs.Count - 1; i >= 0; i--)
        {
            jobs[i].Node = _levels[jobs[i].Facts.Level].AddFirst(jobs[i]);
            Tally(jobs[i], 1);
        }
    }

    /// <summary>Takes <paramref name="job"/> out; false if it does not wait.</summary>
    public bool TryRemove(InferenceJob job)
    {
        if (job.Node?.List is not { } level)
        {
            return false;
        }

        level.Remove(job.Node);
        Tally(job, -1);
        return true;
    }

    /// <summary>Requests that run before one of <paramref name="level"/> which comes now.</summary>
    public int CountBefore(int level)
    {
        var count = 0;
        for (var i = 0; i <= level; i++)
        {
            count += _levels[i].Count;
        }

        return count;
    }

    /// <summary>Their rows.</summary>
    public long RowsBefore(int level)
    {
        var rows = 0L;
        for (var i = 0; i <= level; i++)
        {
            rows += _rows[i];
        }

        return rows;
    }

    /// <summary>The bytes of their messages.</summary>
    public long BytesBefore(int level)
    {
        var bytes = 0L;
        for (var i = 0; i <= level; i++)
        {
            bytes += _bytes[i];
        }

        return bytes;
    }

    /// <summary>Takes out the request that runs next.</summary>
    public bool TryTake([NotNullWhen(true)] out InferenceJob? job)
    {
        job = null;
        for (var i = 0; i < _levels.Length && job is null; i++)
        {
            job = _levels[i].First?.Value;
        }

        return job is not null && TryRemove(job);
    }

    /// <summary>Takes out as many requests as make the next run together.</summary>
    /// <param name="batching">A run has no more rows than its largest size, unless one request has.</param>
    /// <param name="waited">How long a request has waited.</param>
    /// <param name="isPatient">Whether requests may wait for others at all.</param>
    /// <param name="wait">Where there is nothing to run yet though requests wait: until there is.</param>
    /// <returns>Null where nothing is to run now.</returns>
    public List<InferenceJob>? Take(BatchingSettings batching, Func<InferenceJob, TimeSpan> waited, bool isPatient, out TimeSpan wait)
    {
        wait = Timeout.InfiniteTimeSpan;
        if (Count == 0)
        {
            return null;
        }

        var (count, isFull) = Fit(batching, waited, out var left);
        if (!isFull && isPatient && left > TimeSpan.Zero)
        {
            wait = left;
            return null;
        }

        var taken = new List<InferenceJob>(count);
        while (taken.Count < count && TryTake(out var job))
        {
            taken.Add(job);
        }

        return taken;
    }

    /// <param name="sign">1 where it begins to wait, -1 where it ends.</param>
    private void Tally(InferenceJob job, int sign)
    {
        _rows[job.Facts.Level] += sign * job.Facts.Rows;
        _bytes[job.Facts.Level] += sign * job.Request.Message.Length;
        Count += sign;
    }

    /// <summary>How many of the first requests make the next run, whether a wait cannot improve it, and how long the least patient one still waits.</summary>
    private (int Count, bool IsFull) Fit(BatchingSettings batching, Func<InferenceJob, TimeSpan> waited, out TimeSpan left)
    {
        left = TimeSpan.MaxValue;
        var (count, rows, preferred) = (0, 0L, 0);
        foreach (var job in _levels.SelectMany(static level => level))
        {
            if (job.RunsByItself && count == 0)
            {
                return (1, true);
            }

            if (count > 0 && (job.RunsByItself || rows + job.Facts.Rows > batching.MaxSize))
            {
                return preferred > 0 ? (preferred, true) : (count, true);
            }

            var patience = job.Patience - waited(job);
            left = patience < left ? patience : left;
            rows += job.Facts.Rows;
            count++;
            preferred = batching.PreferredSizes.AsSpan().BinarySearch((int)Math.Min(rows, int.MaxValue)) >= 0 ? count : preferred;
        }

        return preferred > 0 ? (preferred, true) : (count, rows >= batching.MaxSize);
    }
}

/// <summary>What the queue needs to know of a request.</summary>
/// <param name="Rows">At least 1, and no more than its bytes can be.</param>
/// <param name="Level">Its priority, from 0, the first to run.</param>
internal readonly record struct RequestFacts(int Rows, int Level)
{
    /// <summary>Of a request to a model without batches and priorities.</summary>
    public static RequestFacts Plain { get; } = new(1, 0);
}
