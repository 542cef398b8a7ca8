namespace Cluster.Contracts.Models;

/// <summary>A replica's utilization since its last report, by which its model decides on the number of replicas.</summary>
[GenerateSerializer, Immutable, Alias("copy-load-report")]
public sealed record UtilizationReport
{
    [Id(0)]
    public required ModelReplicaId Replica { get; init; }

    /// <summary>Requests taken, by the minute.</summary>
    [Id(1)]
    public required double RequestsPerMinute { get; init; }

    /// <summary>Requests in the queue now.</summary>
    [Id(2)]
    public int Waiting { get; init; }

    /// <summary>Since the replica was used last; zero while it runs.</summary>
    [Id(3)]
    public TimeSpan Idle { get; init; }

    /// <summary>Since it was loaded.</summary>
    [Id(4)]
    public TimeSpan LoadedFor { get; init; }

    /// <summary>Of one run; zero without samples.</summary>
    [Id(5)]
    public TimeSpan MeanRunTime { get; init; }

    /// <summary>Runs that <see cref="MeanRunTime"/> is of.</summary>
    [Id(6)]
    public int Samples { get; init; }

    /// <summary>Requests that it runs at once, at least 1.</summary>
    [Id(7)]
    public int Concurrency { get; init; } = 1;
}
