namespace Cluster.Contracts.Registry;

/// <summary>
/// The use that an alias makes of a candidate. The candidate answers a share of the requests, or gets copies of them with answers that are compared and dropped. A
/// gateway that measures more than a limit allows ends the share by itself.
/// </summary>
[GenerateSerializer, Immutable, Alias("traffic-rule")]
public sealed record TrafficRule
{
    /// <summary>The model that is tried out; it may be the active one in another version.</summary>
    [Id(0)]
    public required string Candidate { get; init; }

    /// <summary>At least 1; null for the server's choice.</summary>
    [Id(1)]
    public long? CandidateVersion { get; init; }

    /// <summary>The version of the active model that answers the other requests, at least 1; null for the server's choice.</summary>
    [Id(2)]
    public long? ActiveVersion { get; init; }

    /// <summary>The candidate's share of the requests, 0 to 100, in steps of 0.1.</summary>
    [Id(3)]
    public double Percent { get; init; }

    /// <summary>Whether the candidate gets copies, and the active model answers all.</summary>
    [Id(4)]
    public bool Shadow { get; init; }

    /// <summary>The name of the header by whose value a request belongs to the share or not; null for none.</summary>
    [Id(5)]
    public string? StickyHeader { get; init; }

    /// <summary>Whether a request without that header belongs to the share by its id. A request without an id goes by chance.</summary>
    [Id(6)]
    public bool StickyId { get; init; }

    /// <summary>How far numbers of the two answers may be apart, at least 0.</summary>
    [Id(7)]
    public double AbsoluteTolerance { get; init; } = 1e-5;

    /// <summary>As above, as a share of the active model's number, at least 0; the two are added.</summary>
    [Id(8)]
    public double RelativeTolerance { get; init; } = 1e-3;

    /// <summary>Limits on how much worse the candidate may be.</summary>
    [Id(9)]
    public TrafficLimits Limits { get; init; } = new();
}

/// <summary>Figures of a candidate beyond which its share ends. Null for no such limit. Each gateway judges by its own measurements.</summary>
[GenerateSerializer, Immutable, Alias("traffic-limits")]
public sealed record TrafficLimits
{
    /// <summary>Failed requests of all, 0 to 1. One that the active model exceeds as well is no reason.</summary>
    [Id(0)]
    public double? ErrorRate { get; init; } = 0.05;

    /// <summary>The candidate's 99th percentile of latency by that of the active model, above 0.</summary>
    [Id(1)]
    public double? P99Ratio { get; init; }

    /// <summary>The same of the means.</summary>
    [Id(2)]
    public double? MeanRatio { get; init; }

    /// <summary>Answers that differ of those that were compared, 0 to 1.</summary>
    [Id(3)]
    public double? Drift { get; init; }

    /// <summary>Requests of the candidate, and for latencies of the active model too, without which nothing is judged; at least 1.</summary>
    [Id(4)]
    public int MinRequests { get; init; } = 100;

    /// <summary>How far back figures reach, a second to a day.</summary>
    [Id(5)]
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(1);
}

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
