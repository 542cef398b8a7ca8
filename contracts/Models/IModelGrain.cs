using System.Collections.Immutable;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Models;

/// <summary>
/// One model by name: what should be served, and the loads, switches and unloads that achieve it. It is control plane, and no inference passes through it.
/// </summary>
[Alias("model")]
public interface IModelGrain : IGrainWithStringKey
{
    /// <summary>
    /// Takes the latest registration of the model. Returns when it is carried out: chosen versions are loaded or found broken, others unloaded. A serving version is
    /// replaced only by one that is ready. Loads of content that it no longer names end.
    /// </summary>
    /// <param name="registration">The model, or with no versions and no problem: the model is gone. Where it asks for a load, gateways know of that when this returns.</param>
    /// <param name="retryFailed">Whether content that failed to load is tried again.</param>
    /// <exception cref="ServingException">ALREADY_EXISTS: the model came from elsewhere and is still there.</exception>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("apply")]
    ValueTask ApplyAsync(ModelRegistration registration, bool retryFailed, CancellationToken cancellationToken);

    /// <summary>Serves the model again after <see cref="UnloadAsync"/>, tries failed loads again, and loads serving versions that are not in memory.</summary>
    /// <exception cref="ServingException">
    /// NOT_FOUND: no such model. UNAVAILABLE: a version failed to load, with the cause. RESOURCE_EXHAUSTED: there is no room now.
    /// </exception>
    [ResponseTimeout("01:00:00"), Alias("load")]
    ValueTask LoadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Loads a registered model that waits for its first request; does nothing in any other case. Returns when it has loaded or failed.
    /// </summary>
    [ResponseTimeout("01:00:00"), Alias("wake")]
    ValueTask WakeAsync(CancellationToken cancellationToken);

    /// <summary>Stops serving the model until <see cref="LoadAsync"/>; running requests are finished, loads under way end.</summary>
    /// <exception cref="ServingException">NOT_FOUND: no such model.</exception>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("unload")]
    ValueTask UnloadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Sets bounds on the replicas of a version in memory, in place of those of the settings. Null resets them. They hold until the model is gone. Returns once
    /// replicas have come or gone, as far as there is room.
    /// </summary>
    /// <exception cref="ServingException">NOT_FOUND: no such model. INVALID_ARGUMENT: a number out of range.</exception>
    [ResponseTimeout("01:00:00"), Alias("scale")]
    ValueTask ScaleAsync(ReplicaBounds? bounds, CancellationToken cancellationToken);

    /// <summary>
    /// Has a version in memory that serves: loads it on a silo that the model chooses, where it is not. Waits for a load that is under way. Taken at once.
    /// </summary>
    /// <param name="missing">A replica that its caller did not find where it should be; null for none. The model asks it before it gives it up.</param>
    /// <exception cref="ServingException">
    /// NOT_FOUND: the version is not served. UNAVAILABLE: it does not load, or no silo can take it. RESOURCE_EXHAUSTED: there is no room now.
    /// </exception>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("ensure-loaded")]
    ValueTask EnsureLoadedAsync(long version, ModelReplicaId? missing, CancellationToken cancellationToken);

    /// <summary>A replica reports that it has ended, such as evicted. Taken at once.</summary>
    [OneWay, AlwaysInterleave, Alias("replica-ended")]
    ValueTask ReplicaEndedAsync(ReplicaEnd end);

    /// <summary>A replica reports the progress of its download. Taken at once.</summary>
    /// <param name="percent">0 to 100.</param>
    [OneWay, AlwaysInterleave, Alias("download-progress")]
    ValueTask DownloadProgressAsync(ModelReplicaId replica, int percent);

    /// <summary>A replica reports its utilization, every few seconds while it is used. Taken at once. Replicas come and go later.</summary>
    [AlwaysInterleave, Alias("report-load")]
    ValueTask ReportLoadAsync(UtilizationReport load);

    /// <summary>
    /// Moves the replicas on <paramref name="silo"/> elsewhere: another replica is loaded and serves before the one on the silo ends. Returns when none is left there.
    /// Used when a silo is about to leave.
    /// </summary>
    [ResponseTimeout("01:00:00"), Alias("leave-silo")]
    ValueTask LeaveSiloAsync(SiloAddress silo, CancellationToken cancellationToken);

    /// <summary>
    /// Silos have died or left: forgets the replicas that they held, and has those that were in use loaded again elsewhere. Returns at once.
    /// </summary>
    [AlwaysInterleave, Alias("silos-lost")]
    ValueTask SilosLostAsync(ImmutableArray<SiloAddress> silos);

    /// <summary>
    /// A gateway reports that one request for a version was lost with each of <paramref name="silos"/>, the last time as the only suspect. Once both are dead the
    /// version is taken out of service, until <see cref="LoadAsync"/> or other content.
    /// </summary>
    [AlwaysInterleave, Alias("accuse")]
    ValueTask AccuseAsync(long version, ImmutableArray<SiloAddress> silos);

    /// <summary>The known facts of a version, without loading it.</summary>
    [AlwaysInterleave, Alias("unloaded-copy")]
    ValueTask<UnloadedReplica> GetUnloadedAsync(long version);
}

/// <summary>What a replica tells its model when it has ended.</summary>
/// <param name="Statistics">Its figures while it was loaded.</param>
/// <param name="Reason">Why it ended, for people.</param>
/// <param name="IsStuck">Whether runs that do not end had all its slots. Its memory stays taken, and its silo is no good place for the next.</param>
[GenerateSerializer, Immutable, Alias("replica-end")]
public sealed record ReplicaEnd(
    [property: Id(0)] ModelReplicaId Replica, [property: Id(1)] ReplicaStatistics Statistics, [property: Id(2)] string Reason = "", [property: Id(3)] bool IsStuck = false);

/// <summary>The known facts of a serving version, without loading it.</summary>
/// <param name="Description">From its last load; null if it was not loaded yet.</param>
/// <param name="Statistics">Of its loads that have ended; null if there is none.</param>
[GenerateSerializer, Immutable, Alias("unloaded-copy")]
public sealed record UnloadedReplica([property: Id(0)] ModelDescription? Description, [property: Id(1)] ReplicaStatistics? Statistics);

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
