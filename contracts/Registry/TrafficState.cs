namespace Cluster.Contracts.Registry;

/// <summary>A rule that an alias has.</summary>
/// <param name="Revision">Of two rules the later one has the higher number, also under another alias of the same name.</param>
/// <param name="Loaded">Whether the candidate has been loaded for it. Before that it gets no requests.</param>
/// <param name="Failure">Why the candidate does not load; null if it has not been found so.</param>
/// <param name="RolledBack">Null while the rule holds.</param>
[GenerateSerializer, Immutable, Alias("traffic-state")]
public sealed record TrafficState(
    [property: Id(0)] TrafficRule Rule,
    [property: Id(1)] long Revision,
    [property: Id(2)] bool Loaded = false,
    [property: Id(3)] string? Failure = null,
    [property: Id(4)] TrafficRollback? RolledBack = null)
{
    /// <summary>Whether the candidate is to be loaded first.</summary>
    public bool IsWaiting => !Loaded && RolledBack is null;

    /// <summary>Whether the candidate gets its share.</summary>
    public bool IsOn => Loaded && RolledBack is null;
}

/// <summary>The end of a candidate's share.</summary>
/// <param name="Reason">The figures, or that an operator asked for it.</param>
/// <param name="By">The gateway that measured, or that was asked.</param>
[GenerateSerializer, Immutable, Alias("traffic-rollback")]
public sealed record TrafficRollback(
    [property: Id(0)] RollbackCause Cause,
    [property: Id(1)] string Reason,
    [property: Id(2)] string By,
    [property: Id(3)] DateTimeOffset Time);

/// <summary>That a rule is to end.</summary>
/// <param name="Revision">The rule that is meant; a later one goes on.</param>
[GenerateSerializer, Immutable, Alias("traffic-verdict")]
public sealed record TrafficVerdict(
    [property: Id(0)] long Revision,
    [property: Id(1)] RollbackCause Cause,
    [property: Id(2)] string Reason,
    [property: Id(3)] string By);

/// <summary>The cause that ended a candidate's share.</summary>
[GenerateSerializer, Alias("rollback-cause")]
public enum RollbackCause
{
    Operator = 0,
    Errors = 1,
    Latency = 2,
    Drift = 3,
}
