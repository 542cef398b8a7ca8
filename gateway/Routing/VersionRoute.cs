using System.Globalization;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Routing;

/// <summary>One version of a model, with references to the replicas that take its requests.</summary>
internal sealed class VersionRoute(VersionServingState state, ReplicaRoute[] replicas)
{
    public long Version => state.Version;

    /// <summary>The version as text.</summary>
    public string Text { get; } = state.Version.ToString(CultureInfo.InvariantCulture);

    public VersionServingState State => state;

    /// <summary>Whether requests for it are answered, if need be after waiting for a load.</summary>
    public bool TakesRequests => state.State is ModelVersionState.Ready or ModelVersionState.Loading;

    /// <summary>Empty for a version that is not loaded.</summary>
    public ReplicaRoute[] Replicas => replicas;
}
