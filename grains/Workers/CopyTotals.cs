namespace Cluster.Grains.Workers;

/// <summary>What a copy has done, in short.</summary>
/// <param name="Requests">Answered, refused, failed or given up.</param>
/// <param name="Runs">Of the session, that were answered.</param>
/// <param name="RunNanoseconds">Of all these runs together.</param>
internal readonly record struct CopyTotals(long Requests, long Runs, long RunNanoseconds)
{
    public static CopyTotals operator +(CopyTotals left, CopyTotals right) =>
        new(left.Requests + right.Requests, left.Runs + right.Runs, left.RunNanoseconds + right.RunNanoseconds);

    public static CopyTotals operator -(CopyTotals left, CopyTotals right) =>
        new(left.Requests - right.Requests, left.Runs - right.Runs, left.RunNanoseconds - right.RunNanoseconds);
}
