using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Workers;

/// <summary>The requests of one replica that wait for a slot: by priority, those of one priority shared between callers. Guarded by its queue's lock.</summary>
internal sealed class WaitingLine
{
    /// <summary>What a request costs beside its run, nanoseconds; no request is free.</summary>
    public const double LeastCost = 1000;

    private readonly FairLevel[] _levels;

    /// <param name="levels">Priorities, at least 1.</param>
    public WaitingLine(int levels)
    {
        _levels = new FairLevel[levels];
        for (var i = 0; i < levels; i++)
        {
            _levels[i] = new FairLevel();
        }
    }

    public int Count { get; private set; }

    /// <summary>What a row takes on average, nanoseconds, above 0.</summary>
    public double RowCost { get; set; } = LeastCost;

    public void Add(InferenceJob job)
    {
        _levels[job.Facts.Level].Add(job);
        Count++;
    }

    /// <summary>Puts jobs that a run of several has left before the others of their callers, in their order.</summary>
    public void PutBack(List<InferenceJob> jobs)
    {
        for (var i = jobs.Count - 1; i >= 0; i--)
        {
            _levels[jobs[i].Facts.Level].PutBack(jobs[i]);
            Count++;
        }
    }

    /// <summary>Takes <paramref name="job"/> out; false if it does not wait.</summary>
    public bool TryRemove(InferenceJob job)
    {
        if (job.Node?.List is null)
        {
            return false;
        }

        _levels[job.Facts.Level].Remove(job);
        Count--;
        return true;
    }

    /// <summary>Requests of <paramref name="level"/> and of what runs before it.</summary>
    public int CountBefore(int level)
    {
        var count = 0;
        for (var i = 0; i <= level; i++)
        {
            count += _levels[i].Count;
        }

        return count;
    }

    /// <summary>Rows of what runs before a request of <paramref name="level"/> which comes now, as far as can be told.</summary>
    /// <param name="share">Whose it is.</param>
    public long RowsBefore(int level, CallerShare share)
    {
        var rows = _levels[level].RowsBefore(share, RowCost);
        for (var i = 0; i < level; i++)
        {
            rows += _levels[i].Rows;
        }

        return rows;
    }

    /// <summary>The bytes of the messages that <see cref="CountBefore"/> counts.</summary>
    public long BytesBefore(int level)
    {
        var bytes = 0L;
        for (var i = 0; i <= level; i++)
        {
            bytes += _levels[i].Bytes;
        }

        return bytes;
    }

    /// <inheritdoc cref="FairLevel.MakeRoom"/>
    /// <param name="level">The priority of what comes; no other gives way to it.</param>
    public List<InferenceJob>? MakeRoom(int level, CallerShare share, long added, int jobs, long bytes)
    {
        var gone = _levels[level].MakeRoom(share, added, jobs, bytes);
        Count -= gone?.Count ?? 0;
        return gone;
    }

    /// <summary>Takes out the request that runs next.</summary>
    public bool TryTake([NotNullWhen(true)] out InferenceJob? job)
    {
        job = null;
        for (var i = 0; i < _levels.Length && job is null; i++)
        {
            job = _levels[i].Take(RowCost);
        }

        Count -= job is null ? 0 : 1;
        return job is not null;
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

        var taken = new List<InferenceJob>();
        var isFull = Fit(batching, waited, taken, out var left);
        if (!isFull && isPatient && left > TimeSpan.Zero)
        {
            wait = left;
            return null;
        }

        foreach (var job in taken)
        {
            _levels[job.Facts.Level].Take(job, RowCost);
        }

        Count -= taken.Count;
        return taken;
    }

    /// <summary>Which of the first requests make the next run, and whether it is to begin now. Tells how long the least patient of them still waits.</summary>
    private bool Fit(BatchingSettings batching, Func<InferenceJob, TimeSpan> waited, List<InferenceJob> fit, out TimeSpan left)
    {
        left = TimeSpan.MaxValue;
        var (rows, preferred) = (0L, 0);
        foreach (var job in _levels.SelectMany(level => level.InOrder(RowCost)))
        {
            if (job.RunsByItself && fit.Count == 0)
            {
                fit.Add(job);
                return true;
            }

            if (fit.Count > 0 && (job.RunsByItself || rows + job.Facts.Rows > batching.MaxSize))
            {
                Cut(fit, preferred);
                return true;
            }

            var patience = job.Patience - waited(job);
            left = patience < left ? patience : left;
            rows += job.Facts.Rows;
            fit.Add(job);
            preferred = batching.PreferredSizes.AsSpan().BinarySearch((int)Math.Min(rows, int.MaxValue)) >= 0 ? fit.Count : preferred;
        }

        Cut(fit, preferred);
        return preferred > 0 || rows >= batching.MaxSize;
    }

    private static void Cut(List<InferenceJob> fit, int preferred)
    {
        if (preferred > 0)
        {
            fit.RemoveRange(preferred, fit.Count - preferred);
        }
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
