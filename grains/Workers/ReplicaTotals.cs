namespace Cluster.Grains.Workers;

/// <summary>What a replica has done, in short.</summary>
/// <param name="Requests">Answered, refused, failed or given up.</param>
/// <param name="Runs">Of the session, that were answered.</param>
/// <param name="RunNanoseconds">Of all these runs together.</param>
internal readonly record struct ReplicaTotals(long Requests, long Runs, long RunNanoseconds)
{
    public static ReplicaTotals operator +(ReplicaTotals left, ReplicaTotals right) =>
        new(left.Requests + right.Requests, left.Runs + right.Runs, left.RunNanoseconds + right.RunNanoseconds);

    public static ReplicaTotals operator -(ReplicaTotals left, ReplicaTotals right) =>
        new(left.Requests - right.Requests, left.Runs - right.Runs, left.RunNanoseconds - right.RunNanoseconds);
}
