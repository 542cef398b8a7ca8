using Cluster.Contracts.Models;

namespace Cluster.Grains.Workers;

/// <summary>
/// The requests of one priority that wait for a slot, shared between callers by their weights. Guarded by its queue's lock.
/// <list type="number">
/// <item>Start-time fair queueing: next is the caller that has had least of the runs' time for its weight. Of two that had as much it is the one whose request came first.</item>
/// <item>A caller that comes begins where the last one that ran stood: it is next, and what it did not use before counts for nothing.</item>
/// <item>A request counts with what runs take on average when it is taken, and with what its run took once that is known.</item>
/// <item>Requests of one caller keep their order. One caller alone has one line, whose requests run as they came.</item>
/// </list>
/// What a caller has had is forgotten when no request of the priority waits: then slots were free for all.
/// </summary>
internal sealed class FairLevel
{
    /// <summary>Those with requests, and those that have had more than their share meanwhile. Callers are tens, so that a scan costs less than an order to keep.</summary>
    private readonly List<ShareLine> _lines = [];

    /// <summary>Where the caller stood whose request was taken last.</summary>
    private double _now;

    public int Count { get; private set; }

    public long Rows { get; private set; }

    /// <summary>Of their messages.</summary>
    public long Bytes { get; private set; }

    /// <summary>Callers that are remembered.</summary>
    public int Callers => _lines.Count;

    public void Add(InferenceJob job)
    {
        LineOf(job.Request.Share).AddLast(job);
        Tally(job, 1);
    }

    /// <summary>Puts a job before its caller's others.</summary>
    public void PutBack(InferenceJob job)
    {
        LineOf(job.Request.Share).AddFirst(job);
        Tally(job, 1);
    }

    /// <summary>Takes out a job that waits here.</summary>
    public void Remove(InferenceJob job)
    {
        job.Line!.Remove(job);
        Tally(job, -1);
        if (Count == 0)
        {
            // One line stays, so that a caller alone does not need another with each request.
            _lines.Clear();
            _lines.Add(job.Line);
            job.Line.Had = 0;
            _now = 0;
        }
    }

    /// <summary>Takes out the job that runs next; null where none waits.</summary>
    /// <param name="rowCost">What a row takes on average, nanoseconds.</param>
    public InferenceJob? Take(double rowCost)
    {
        if (Count == 0)
        {
            return null;
        }

        var job = Next().Jobs.First!.Value;
        Take(job, rowCost);
        return job;
    }

    /// <summary>Takes out a job that is the first of its caller's.</summary>
    /// <inheritdoc cref="Take(double)" path="/param"/>
    public void Take(InferenceJob job, double rowCost)
    {
        var line = job.Line!;
        _now = Math.Max(_now, line.Had);
        line.Charge(job, rowCost * job.Facts.Rows);
        Remove(job);
    }

    /// <summary>The jobs as they would be taken if none came.</summary>
    /// <inheritdoc cref="Take(double)" path="/param"/>
    public IEnumerable<InferenceJob> InOrder(double rowCost)
    {
        if (_lines.Count > 1)
        {
            Prune();
        }

        return _lines.Count == 1 ? _lines[0].Jobs : Merge(rowCost);
    }

    /// <summary>Rows of the jobs that run before one of a caller which comes now, as far as can be told.</summary>
    /// <inheritdoc cref="Take(double)" path="/param"/>
    public long RowsBefore(CallerShare share, double rowCost)
    {
        var own = Find(share.Key);
        if (own is not null && _lines.Count == 1)
        {
            return Rows;
        }

        var start = Math.Max(own?.Had ?? 0, _now) + ((own?.Rows ?? 0) * rowCost / share.ValidWeight());
        var rows = own?.Rows ?? 0;
        foreach (var line in _lines)
        {
            if (line != own && line.Had <= start)
            {
                rows += Math.Min(line.Rows, 1 + (long)((start - line.Had) * line.Weight / rowCost));
            }
        }

        return rows;
    }

    /// <summary>
    /// Takes out the newest jobs of callers that have more of the queue for their weight than this one would have. The caller that has most gives up the first.
    /// </summary>
    /// <param name="added">Bytes of what comes.</param>
    /// <param name="jobs">As many are too many.</param>
    /// <param name="bytes">So are these.</param>
    /// <returns>Null, and nothing is taken out, where that does not make the room.</returns>
    public List<InferenceJob>? MakeRoom(CallerShare share, long added, int jobs, long bytes)
    {
        var own = Find(share.Key);
        if (_lines.Count == 0 || (own is not null && _lines.Count == 1))
        {
            return null;
        }

        var gone = new List<InferenceJob>();
        while (jobs > 0 || bytes > 0)
        {
            var byCount = jobs > 0;
            var most = Most(byCount);
            if (most is null || (LoadOf(own, byCount) + (byCount ? 1 : added)) * most.Weight >= LoadOf(most, byCount) * share.ValidWeight())
            {
                for (var i = gone.Count - 1; i >= 0; i--)
                {
                    gone[i].Line!.AddLast(gone[i]);
                    Tally(gone[i], 1);
                }

                return null;
            }

            var job = most.Jobs.Last!.Value;
            most.Remove(job);
            Tally(job, -1);
            gone.Add(job);
            jobs--;
            bytes -= job.Request.Message.Length;
        }

        return gone;
    }

    private static long LoadOf(ShareLine? line, bool byCount) => (byCount ? line?.Count : line?.Bytes) ?? 0;

    /// <summary>The line that has most of the queue for its weight; null where none has any.</summary>
    private ShareLine? Most(bool byCount)
    {
        ShareLine? most = null;
        foreach (var line in _lines)
        {
            if (line.Count > 0 && (most is null || LoadOf(line, byCount) * most.Weight > LoadOf(most, byCount) * line.Weight))
            {
                most = line;
            }
        }

        return most;
    }

    private IEnumerable<InferenceJob> Merge(double rowCost)
    {
        var heads = _lines.Where(static line => line.Count > 0).Select(static line => (line.Had, line.Weight, Node: line.Jobs.First!)).ToList();
        while (heads.Count > 0)
        {
            var first = 0;
            for (var i = 1; i < heads.Count; i++)
            {
                first = (heads[i].Had, heads[i].Node.Value.Arrived).CompareTo((heads[first].Had, heads[first].Node.Value.Arrived)) < 0 ? i : first;
            }

            var (had, weight, node) = heads[first];
            yield return node.Value;
            if (node.Next is { } next)
            {
                heads[first] = (had + (rowCost * node.Value.Facts.Rows / weight), weight, next);
            }
            else
            {
                heads.RemoveAt(first);
            }
        }
    }

    /// <summary>The line whose first job runs next.</summary>
    private ShareLine Next()
    {
        Prune();
        ShareLine? next = null;
        for (var i = _lines.Count - 1; i >= 0; i--)
        {
            // Backwards: of two that are level, the one that came first.
            next = _lines[i].Count > 0 && (next is null || _lines[i].IsBefore(next)) ? _lines[i] : next;
        }

        return next!;
    }

    /// <summary>Lines that wait for nothing and have had no more than their share go.</summary>
    private void Prune()
    {
        for (var i = _lines.Count - 1; i >= 0; i--)
        {
            if (_lines[i].Count == 0 && _lines[i].Had <= _now)
            {
                _lines.RemoveAt(i);
            }
        }
    }

    private ShareLine? Find(int key)
    {
        foreach (var line in _lines)
        {
            if (line.Key == key)
            {
                return line;
            }
        }

        return null;
    }

    private ShareLine LineOf(CallerShare share)
    {
        if (Find(share.Key) is not { } line)
        {
            if (Count == 0)
            {
                _lines.Clear();
            }

            line = new ShareLine(share, _now);
            _lines.Add(line);
            return line;
        }

        line.Weight = share.ValidWeight();
        if (line.Count == 0)
        {
            line.Had = Math.Max(line.Had, _now);
        }

        return line;
    }

    private void Tally(InferenceJob job, int sign)
    {
        Count += sign;
        Rows += sign * job.Facts.Rows;
        Bytes += sign * job.Request.Message.Length;
    }
}
