using System.Collections.Immutable;

namespace Cluster.Grains.Scaling;

/// <summary>All that a decision on a version's replicas depends on.</summary>
public sealed record ScalingInput
{
    public required ImmutableArray<ReplicaUtilization> Copies { get; init; }

    /// <summary>Least replicas of the model, at least 1.</summary>
    public int Min { get; init; } = 1;

    /// <summary>Most replicas of the model, at least <see cref="Min"/>.</summary>
    public int Max { get; init; } = int.MaxValue;

    /// <summary>Silos that could take another replica.</summary>
    public required int Candidates { get; init; }

    /// <summary>Silos in all.</summary>
    public required int Silos { get; init; }

    /// <summary>Free share of all silos' capacity, 0 to 1.</summary>
    public required double FreeShare { get; init; }

    /// <summary>Since the longest unused replica of all models was used; null where none is known.</summary>
    public TimeSpan? OldestIdle { get; init; }

    /// <summary>Whether the use of the model lasts, see <see cref="UseHistory"/>.</summary>
    public bool IsLasting { get; init; }

    /// <summary>Since replicas were added; null: never.</summary>
    public TimeSpan? SinceAdded { get; init; }

    /// <summary>Since a replica was taken away; null: never.</summary>
    public TimeSpan? SinceRemoved { get; init; }
}

/// <summary>What one replica has to do.</summary>
/// <param name="Copy">Its number.</param>
/// <param name="RequestsPerMinute">In the latest interval.</param>
/// <param name="Waiting">Requests in its queue.</param>
/// <param name="Idle">Since its last use; zero while it is used.</param>
/// <param name="LoadedFor">Since it was loaded; null while it loads.</param>
/// <param name="MeanRunTime">Of one request.</param>
/// <param name="Samples">Runs that <paramref name="MeanRunTime"/> is of.</param>
/// <param name="Concurrency">Requests that it runs at once, at least 1.</param>
public readonly record struct ReplicaUtilization(
    int Copy, double RequestsPerMinute, int Waiting, TimeSpan Idle, TimeSpan? LoadedFor, TimeSpan MeanRunTime, int Samples, int Concurrency);
