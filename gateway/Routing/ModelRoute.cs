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
        WaitsForUse = versions.Any(version => version.State.Reason == ServingReasons.NotYetUsed);
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
