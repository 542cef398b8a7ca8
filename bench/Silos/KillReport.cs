namespace Cluster.Bench.Silos;

/// <summary>One silo killed under load. Times in milliseconds, from the moment a request was due.</summary>
/// <param name="OneCopyHeld">Copies of one-copy models that the killed silo held.</param>
/// <param name="TwoCopiesHeld">The same of two-copy models.</param>
/// <param name="LongestBefore">Longest wait of any request that was due before the kill: what the machine's other work does.</param>
/// <param name="LongestOneCopy">Longest wait of a request for a model with one copy, due or in flight after the kill.</param>
/// <param name="WholeAgain">From the kill until every request is answered within 100 ms for a second on end; null if that did not come.</param>
/// <param name="OthersPercent">Part of the machine that other processes took after the kill.</param>
internal sealed record KillReport(
    int OneCopyHeld,
    int TwoCopiesHeld,
    int Requests,
    double LongestBefore,
    double LongestOneCopy,
    double LongestTwoCopies,
    double? WholeAgain,
    double OthersPercent,
    long Failures,
    string? FirstFailure);
