using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Workers;

/// <summary>The requests of one replica that wait for a slot: by priority, those of one priority in the order of arrival. Guarded by its queue's lock.</summary>
internal sealed class WaitingLine
{
    private readonly LinkedList<InferenceJob>[] _levels;

    /// <param name="levels">Priorities, at least 1.</param>
    public WaitingLine(int levels)
    {
        _levels = new LinkedList<InferenceJob>[levels];
        for (var i = 0; i < levels; i++)
        {
            _levels[i] = [];
        }
    }

    public int Count { get; private set; }

    public void Add(InferenceJob job)
    {
        job.Node = _levels[job.Facts.Level].AddLast(job);
        Count++;
    }

    /// <summary>Takes <paramref name="job"/> out; false if it does not wait.</summary>
    public bool TryRemove(InferenceJob job)
    {
        if (job.Node?.List is not { } level)
        {
            return false;
        }

        level.Remove(job.Node);
        Count--;
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
    /// <param name="wait">Where there is nothing to run yet though requests wait: until there is.</param>
    /// <returns>Null where nothing is to run now.</returns>
    public List<InferenceJob>? Take(BatchingSettings batching, Func<InferenceJob, TimeSpan> waited, out TimeSpan wait)
    {
        wait = Timeout.InfiniteTimeSpan;
        if (Count == 0)
        {
            return null;
        }

        var (count, isFull) = Fit(batching, out var oldest);
        if (!isFull && batching.MaxDelay > TimeSpan.Zero && waited(oldest) is var age && age < batching.MaxDelay)
        {
            wait = batching.MaxDelay - age;
            return null;
        }

        var taken = new List<InferenceJob>(count);
        foreach (var level in _levels)
        {
            while (taken.Count < count && level.First is { } next)
            {
                level.RemoveFirst();
                taken.Add(next.Value);
            }
        }

        Count -= count;
        return taken;
    }

    /// <summary>How many of the first requests make the next run, and whether waiting would not make it a better one.</summary>
    private (int Count, bool IsFull) Fit(BatchingSettings batching, out InferenceJob oldest)
    {
        oldest = null!;
        var (count, rows, preferred) = (0, 0L, 0);
        foreach (var job in _levels.SelectMany(static level => level))
        {
            if (count > 0 && rows + job.Facts.Rows > batching.MaxSize)
            {
                return preferred > 0 ? (preferred, true) : (count, true);
            }

            oldest = oldest is null || job.Arrived < oldest.Arrived ? job : oldest;
            rows += job.Facts.Rows;
            count++;
            preferred = batching.PreferredSizes.Contains((int)Math.Min(rows, int.MaxValue)) ? count : preferred;
        }

        return preferred > 0 ? (preferred, true) : (count, rows >= batching.MaxSize);
    }
}

/// <summary>What the queue needs to know of a request.</summary>
/// <param name="Rows">The size of its first dimension, at least 1.</param>
/// <param name="Level">Its priority, from 0, the first to run.</param>
internal readonly record struct RequestFacts(int Rows, int Level)
{
    /// <summary>Of a request to a model without batches and priorities.</summary>
    public static RequestFacts Plain { get; } = new(1, 0);
}
