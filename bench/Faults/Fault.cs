namespace Cluster.Bench.Faults;

/// <summary>A fault of the matrix. A delegate returns when the processes have been told.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="Begin">The fault happens.</param>
/// <param name="End">It is over: what was cut is joined, what was lost is started again. Returns when the processes run.</param>
internal sealed record Fault(string Name, Func<FaultScene, Task> Begin, Func<FaultScene, Task> End)
{
    public FaultTarget Hits { get; init; }

    /// <summary>Whether it needs processes that are machines of their own.</summary>
    public bool NeedsNetwork { get; init; }

    /// <summary>Whether a request may be refused: meanwhile no replica can be reached.</summary>
    public bool RequestsMayBeRefused { get; init; }

    /// <summary>Whether a load may be refused: it needs Redis, or a silo.</summary>
    public bool LoadsMayBeRefused { get; init; }

    /// <summary>What should happen, for people.</summary>
    public string Expected(FaultPhase phase) => (RequestsMayBeRefused, LoadsMayBeRefused && phase != FaultPhase.Steady) switch
    {
        (true, _) => "UNAVAILABLE at most",
        (_, true) => "0 failed; loads UNAVAILABLE at most",
        _ => "0 failed",
    };
}

/// <summary>The silos that a fault is about.</summary>
internal enum FaultTarget
{
    NoneInParticular,
    Victim,
    VictimAndOther,
}
