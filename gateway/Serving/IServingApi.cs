using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Security;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Serving;

/// <summary>
/// What both protocols offer, in the messages of <c>inference.proto</c>. Control-plane failures are thrown as
/// <see cref="ServingException"/>; inference returns them. Versions are text, empty for the server's choice.
/// </summary>
internal interface IServingApi
{
    /// <summary>As <see cref="ServerReadiness"/> says.</summary>
    bool IsReady { get; }

    /// <summary>Which model a request is for: what its headers say, else the model of that name, else the alias of that name.</summary>
    /// <param name="name">What the message or the path says; may be empty.</param>
    /// <param name="http">The request: its headers, its caller and what its endpoint asks of that.</param>
    /// <exception cref="ServingException">
    /// INVALID_ARGUMENT: headers that contradict each other. PERMISSION_DENIED: the caller may not. NOT_FOUND: a header names no alias.
    /// </exception>
    ModelTarget Resolve(string name, HttpContext http);

    ServerMetadataResponse GetServerMetadata();

    /// <summary>Whether a known version answers, if need be after its first request has loaded it.</summary>
    /// <exception cref="ServingException">NOT_FOUND; INVALID_ARGUMENT for a version that is no number.</exception>
    bool IsModelReady(string model, string version, Protocol protocol);

    /// <summary>Why requests for it are refused now; empty where they are not.</summary>
    string WhyNotReady(string model, string version);

    ValueTask<ModelMetadataResponse> GetModelMetadataAsync(string model, string version, Protocol protocol, CancellationToken cancellationToken);

    ValueTask<ModelConfig> GetModelConfigAsync(string model, string version, CancellationToken cancellationToken);

    /// <summary>One entry a loaded version; with an empty <paramref name="model"/>, of every model that the caller may see.</summary>
    ValueTask<ModelStatisticsResponse> GetModelStatisticsAsync(string model, string version, Caller caller, CancellationToken cancellationToken);

    /// <summary>The models that the caller may see.</summary>
    RepositoryIndexResponse GetRepositoryIndex(bool readyOnly, Caller caller);

    /// <exception cref="ServingException">In addition to what the load says: PERMISSION_DENIED.</exception>
    ValueTask LoadModelAsync(RepositoryModelLoadRequest request, Caller caller, CancellationToken cancellationToken);

    /// <exception cref="ServingException">In addition to what the model says: PERMISSION_DENIED.</exception>
    ValueTask UnloadModelAsync(RepositoryModelUnloadRequest request, Caller caller, CancellationToken cancellationToken);

    /// <summary>Sets the replica bounds of a model. Null is as its settings say. Returns once they are there, as far as there is room.</summary>
    /// <exception cref="ServingException">In addition to what the model says: PERMISSION_DENIED.</exception>
    ValueTask ScaleModelAsync(string model, ReplicaBounds? bounds, Caller caller, CancellationToken cancellationToken);

    /// <summary>The silos and where each model's replicas are.</summary>
    /// <exception cref="ServingException">UNAVAILABLE: no silo can be asked.</exception>
    ValueTask<ClusterOverview> GetClusterAsync(CancellationToken cancellationToken);

    /// <summary>Has a silo take nothing new and move its replicas elsewhere, or take replicas again.</summary>
    /// <exception cref="ServingException">As <see cref="IClusterGrain.DrainAsync"/>. UNAVAILABLE: no silo can be asked.</exception>
    ValueTask<NodeDescription> DrainSiloAsync(string silo, bool drains, CancellationToken cancellationToken);

    /// <summary>Every alias that this gateway knows, in the order of their names.</summary>
    IReadOnlyList<AliasState> Aliases { get; }

    /// <summary>Gives an alias a traffic rule. Null ends its present one.</summary>
    /// <param name="wait">Whether to wait until the candidate is loaded, or cannot be.</param>
    /// <exception cref="ServingException">As <see cref="IAliasGrain.SetTrafficAsync"/>. UNAVAILABLE: no silo can be asked.</exception>
    ValueTask<AliasState> SetTrafficAsync(string alias, TrafficRule? rule, bool wait, CancellationToken cancellationToken);

    /// <summary>Ends the share of the candidate that an alias has; nothing happens where that has ended.</summary>
    /// <exception cref="ServingException">NOT_FOUND: no such alias. FAILED_PRECONDITION: it has no rule. UNAVAILABLE: no silo can be asked.</exception>
    ValueTask<AliasState> RollBackAsync(string alias, CancellationToken cancellationToken);

    /// <summary>What placement thinks now of each silo for each version of a model, highest first.</summary>
    /// <exception cref="ServingException">UNAVAILABLE: no silo can be asked.</exception>
    ValueTask<ImmutableArray<PlacementDescription>> ExplainPlacementAsync(string model, CancellationToken cancellationToken);

    /// <summary>Reads the repository again; returns once every change is carried out, with the repository's problems.</summary>
    Task<IReadOnlyList<string>> ReloadRepositoryAsync(CancellationToken cancellationToken);

    /// <summary>Runs a request; takes over its message. The caller owns the reply's message.</summary>
    ValueTask<InferReply> InferAsync(InferCall call, CancellationToken cancellationToken);

    /// <summary>Counts a request that failed before it could be read as one, against <paramref name="model"/> if that exists.</summary>
    void CountUnreadable(string model, string version, Protocol protocol);
}

/// <summary>What an operator may want to see of the cluster at once.</summary>
/// <param name="Cluster">The silos.</param>
/// <param name="Models">Every model that this gateway knows, in the order of their names.</param>
/// <param name="Time">When this was put together.</param>
/// <param name="StoreReachable">Whether what the cluster knows in common can be asked for.</param>
internal sealed record ClusterOverview(ClusterDescription Cluster, IReadOnlyList<ModelServingState> Models, DateTimeOffset Time, bool StoreReachable = true)
{
    /// <summary>Every alias that this gateway knows, in the order of their names.</summary>
    public IReadOnlyList<AliasState> Aliases { get; init; } = [];
}
