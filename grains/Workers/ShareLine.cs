using Cluster.Contracts.Models;

namespace Cluster.Grains.Workers;

/// <summary>The requests of one caller and one priority that wait for a slot, in the order of arrival, and what the caller has had. Guarded by its queue's lock.</summary>
internal sealed class ShareLine
{
    private readonly LinkedList<InferenceJob> _jobs = [];

    /// <param name="had">Where it begins.</param>
    public ShareLine(CallerShare share, double had)
    {
        Key = share.Key;
        Weight = share.ValidWeight();
        Had = had;
    }

    /// <summary>Of <see cref="CallerShare"/>.</summary>
    public int Key { get; }

    /// <summary>What the caller's newest request says.</summary>
    public int Weight { get; set; }

    /// <summary>Nanoseconds of runs that the caller has had for each unit of its weight, since requests of this priority began to wait. Who has had least is next.</summary>
    public double Had { get; set; }

    public int Count => _jobs.Count;

    public long Rows { get; private set; }

    /// <summary>Of their messages.</summary>
    public long Bytes { get; private set; }

    /// <summary>The requests, oldest first.</summary>
    public LinkedList<InferenceJob> Jobs => _jobs;

    public void AddLast(InferenceJob job)
    {
        job.Node = _jobs.AddLast(job);
        Begin(job);
    }

    public void AddFirst(InferenceJob job)
    {
        job.Node = _jobs.AddFirst(job);
        Begin(job);
    }

    public void Remove(InferenceJob job)
    {
        _jobs.Remove(job.Node!);
        Tally(job, -1);
    }

    /// <summary>Counts for a job what its run will take, or what it has taken in place of that.</summary>
    /// <param name="cost">Nanoseconds.</param>
    public void Charge(InferenceJob job, double cost)
    {
        Had += (cost - job.Cost) / Weight;
        job.Cost = cost;
    }

    /// <summary>Whether its first request runs before that of another line; both have one.</summary>
    public bool IsBefore(ShareLine other) =>
        Had < other.Had || (Had == other.Had && _jobs.First!.Value.Arrived <= other._jobs.First!.Value.Arrived);

    private void Begin(InferenceJob job)
    {
        // What it had before, in a run of several that it has left, stays counted.
        (job.Line, job.Cost) = (this, 0);
        Tally(job, 1);
    }

    private void Tally(InferenceJob job, int sign)
    {
        Rows += sign * job.Facts.Rows;
        Bytes += sign * job.Request.Message.Length;
    }
}
