using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Routing;

/// <summary>Where requests for one model go; replaced as a whole when its serving state changes.</summary>
internal sealed class ModelRoute
{
    public ModelRoute(ModelServingState state, VersionRoute[] versions)
    {
        State = state;
        Versions = versions;
        Default = versions.FirstOrDefault(version => version.State.State == ModelVersionState.Ready)
            ?? versions.FirstOrDefault(version => version.State.State == ModelVersionState.Loading);
        WaitsForUse = versions.Any(static version => version.WaitsForUse);
    }

    public ModelServingState State { get; }

    /// <summary>Highest first.</summary>
    public VersionRoute[] Versions { get; }

    /// <summary>
    /// The version for requests without one: the highest that is ready, else the highest that loads; null where none is served.
    /// </summary>
    public VersionRoute? Default { get; }

    /// <summary>Whether the first request is to load it.</summary>
    public bool WaitsForUse { get; }
}

/// <summary>One version of a model, with references to the replicas that take its requests.</summary>
internal sealed class VersionRoute(VersionServingState state, ReplicaRoute[] replicas)
{
    public long Version => state.Version;

    /// <summary>The version as text.</summary>
    public string Text { get; } = state.Version.ToString(CultureInfo.InvariantCulture);

    public VersionServingState State => state;

    /// <summary>Whether requests for it are answered, if need be after waiting for a load.</summary>
    public bool TakesRequests => state.State is ModelVersionState.Ready or ModelVersionState.Loading;

    /// <summary>Whether the model's first request is to load it.</summary>
    public bool WaitsForUse => state.Reason == ServingReasons.NotYetUsed;

    /// <summary>Empty for a version that is not loaded.</summary>
    public ReplicaRoute[] Replicas => replicas;
}

/// <summary>Versions as clients write them: digits alone, no leading zero, as the repository's folders.</summary>
internal static class VersionText
{
    private const int MaxLength = 19;

    /// <param name="version">Not empty.</param>
    public static bool IsNumber(string version) => version[0] != '0' && version.Length <= MaxLength && !version.AsSpan().ContainsAnyExceptInRange('0', '9');

    /// <summary>INVALID_ARGUMENT for what is no version.</summary>
    public static Failure NotANumber(string version, string model) => Failure.InvalidArgument(
        $"failed to get model version from specified version string '{Shorten(version)}' for model '{Shorten(model)}': a version is a positive integer such as 1; " +
        "leave it out for the version that the model serves by default");

    /// <summary>Names and versions of requests in errors.</summary>
    public static string Shorten(string text) => text.Length <= 256 ? text : text[..256] + "…";
}

/// <summary>One replica of a version that takes requests.</summary>
/// <param name="id">Which, and where it is.</param>
/// <param name="grain">To call it by a message.</param>
/// <param name="local">The replicas of this process, if it is among them; else null.</param>
/// <param name="load">What this gateway has on its way to it; the same object for as long as the replica is in the route.</param>
internal sealed class ReplicaRoute(ModelReplicaId id, IModelReplicaGrain grain, ILocalReplicas? local, ReplicaInFlight load)
{
    public ModelReplicaId Id => id;

    public int Number => id.Number;

    public SiloAddress Silo => id.Silo;

    public IModelReplicaGrain Grain => grain;

    public ReplicaInFlight Load => load;

    /// <summary>Whether it is loaded in this process and would run a request at once.</summary>
    public bool HasRoomHere => local is not null && local.TryGet(id, out var replica) && replica.HasRoom;

    /// <summary>Calls the replica: one of this process without a message.</summary>
    public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken)
    {
        if (local is null)
        {
            return grain.InferAsync(request, cancellationToken);
        }

        return local.TryGet(id, out var replica)
            ? replica.InferAsync(request, cancellationToken)
            : ValueTask.FromResult(InferReply.Failed(Failure.Moved($"replica {id.Number} of model '{id.Model}' is not loaded here")));
    }
}

/// <summary>Requests of this gateway that a replica has not answered yet. Thread-safe, lock-free.</summary>
internal sealed class ReplicaInFlight
{
    private int _inFlight;

    public int InFlight => Volatile.Read(ref _inFlight);

    public void Begin() => Interlocked.Increment(ref _inFlight);

    public void End() => Interlocked.Decrement(ref _inFlight);
}
