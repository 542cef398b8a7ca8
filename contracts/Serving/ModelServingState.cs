using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cluster.Contracts.Models;

namespace Cluster.Contracts.Serving;

/// <summary>The state of one model for gateways. It is replaced as a whole at each change.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Versions">Every version in the repository or still loaded, highest first.</param>
/// <param name="Problem">The problem of the model as a whole (its settings, its folder), or null.</param>
[GenerateSerializer, Immutable, Alias("model-serving-state")]
public sealed record ModelServingState(
    [property: Id(0)] string Name,
    [property: Id(1)] ImmutableArray<VersionServingState> Versions,
    [property: Id(2)] string? Problem)
{
    [Id(3)]
    public RegistrationOrigin Origin { get; init; }

    /// <summary>Set by an operator in place of those of the model's settings; null where none are.</summary>
    [Id(4)]
    public ReplicaBounds? Bounds { get; init; }

    /// <summary>Whether a version answers requests.</summary>
    [JsonIgnore]
    public bool Serves => Versions.Any(static version => version.State == ModelVersionState.Ready);

    /// <summary>Whether a load has come to its end: no version loads, waits for its first request, or is unloaded on request.</summary>
    [JsonIgnore]
    public bool IsSettled => !Versions.Any(static version =>
        version.State == ModelVersionState.Loading || version.Reason is ServingReasons.NotYetUsed or ServingReasons.Unloaded);
}

/// <summary>How many models answer.</summary>
public static class ReadyModels
{
    /// <summary>Whether at least <paramref name="least"/> models have a version that answers, if need be after loading it again.</summary>
    public static bool HasReady(this IServingStates states, int least) =>
        least == 0 || states.All.Where(static state => state.Serves).Take(least).Count() == least;
}

/// <summary>The state of one version, by which gateways route to it and report it.</summary>
[GenerateSerializer, Immutable, Alias("version-serving-state")]
public sealed record VersionServingState
{
    /// <summary>At least 1.</summary>
    [Id(0)]
    public required long Version { get; init; }

    /// <summary>A version that serves stays <see cref="ModelVersionState.Ready"/> while its replacement loads.</summary>
    [Id(1)]
    public required ModelVersionState State { get; init; }

    /// <summary>Why it is not ready, or why its newest content does not serve. Empty without such a reason.</summary>
    [Id(2)]
    public string Reason { get; init; } = "";

    /// <summary>Whether <see cref="Reason"/> tells of a failed load, not of a client's or operator's wish.</summary>
    [Id(3)]
    public bool Failed { get; init; }

    /// <summary>The replicas that take requests, all of them loaded, by number; none where the version is loaded by its next request.</summary>
    [Id(11)]
    public ImmutableArray<PlacedReplica> Replicas { get; init; } = [];

    /// <summary>The replicas that are being loaded: the first, further ones, or those of new content that will replace the serving one.</summary>
    [Id(12)]
    public ImmutableArray<PlacedReplica> Arriving { get; init; } = [];

    /// <summary>When state, replicas or reason changed last; null if not known.</summary>
    [Id(7)]
    public DateTimeOffset? Since { get; init; }

    /// <summary>Whether it answers although it is not in memory now. Its next request loads it, and waits for that.</summary>
    [Id(6)]
    public bool OnDemand { get; init; }

    /// <summary>Silos, in the parsable form of their addresses, where this content failed to load lately: it is not placed there.</summary>
    [Id(9)]
    public ImmutableArray<string> FailedOn { get; init; } = [];

    /// <summary>Whether it failed because no silo has the OpenVINO that it needs: one that has may join.</summary>
    [Id(13)]
    public bool NoSilo { get; init; }

    /// <summary>The latest use of any replica, some seconds to minutes late; null if none is known.</summary>
    [Id(10)]
    public DateTimeOffset? LastUsed { get; init; }

    /// <summary>Why its replicas changed at <see cref="Since"/>, for people; empty where the state itself says it.</summary>
    [Id(14)]
    public string Cause { get; init; } = "";

    /// <summary>Whether silos were lost lately while they loaded it. What is suspected of the same is loaded apart from it.</summary>
    [Id(15)]
    public bool IsSuspect { get; init; }

    /// <summary>Whether the replica has a reason to be loaded.</summary>
    public bool Wants(int number) => Replicas.Any(replica => replica.Number == number) || Arriving.Any(replica => replica.Number == number);
}

/// <summary>Where a model version is in its life, as the repository index names it.</summary>
[GenerateSerializer, Alias("model-version-state")]
public enum ModelVersionState
{
    /// <summary>Not served: not chosen by the version policy, unloaded on request, or failed to load.</summary>
    Unavailable,

    /// <summary>Being loaded; requests wait for it.</summary>
    Loading,

    /// <summary>Answers requests, if need be after loading it again.</summary>
    Ready,

    /// <summary>Takes no new requests; those that run are finished.</summary>
    Unloading,
}

/// <summary>A replica of a version, and where it is.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Silo">The silo that holds it.</param>
[GenerateSerializer, Immutable, Alias("placed-replica")]
public sealed record PlacedReplica([property: Id(0)] int Number, [property: Id(1)] SiloAddress Silo);

/// <summary>Reasons for a version not to serve that are a client's or operator's wish, not trouble.</summary>
public static class ServingReasons
{
    public const string Unloaded = "unloaded on request";

    public const string NotChosen = "not chosen by the version policy";

    /// <summary>Registered, and loaded at its first request.</summary>
    public const string NotYetUsed = "registered; its first request loads it";

    public const string OnDemand = "not in memory now; its next request loads it";

    /// <summary>Begins the reason of a version that is downloaded from object storage. A percentage follows.</summary>
    public const string Downloading = "downloading ";

    /// <summary>How the cause of an evicted replica begins.</summary>
    public const string Evicted = "evicted ";

    /// <summary>The cause where a silo that held a replica is no member any more.</summary>
    public const string SiloLost = "its silo was lost";

    /// <summary>The cause where runs that do not end had all slots of a replica.</summary>
    public const string Stuck = "its runs do not end";

    /// <summary>How the reason of a quarantined version begins.</summary>
    public const string Quarantined = "quarantined";

    /// <summary>How the reason begins where new content does not load and the previous one serves.</summary>
    public const string PreviousContent = "serves its previous content";

    /// <summary>Before the reason why OpenVINO does not run a model that may run anywhere.</summary>
    public const string OnCpu = "runs on the CPU provider: ";

    /// <summary>Whether a version with this reason is as it should be.</summary>
    public static bool IsIntended(string reason) => reason is "" or Unloaded or NotChosen or NotYetUsed or OnDemand || reason.StartsWith(OnCpu, StringComparison.Ordinal) || reason.StartsWith(Downloading, StringComparison.Ordinal);
}
