using Cluster.Contracts.Serving;

namespace Cluster.Grains.Registry;

/// <summary>How many replicas of a model there are, as this process knows.</summary>
internal static class ServingReplicas
{
    /// <summary>Whether a version answers requests.</summary>
    public static bool IsReady(IServingStates states, string model) => Ready(states, model) > 0;

    /// <summary>Replicas of the highest version that answers requests.</summary>
    public static int Ready(IServingStates states, string model) => Count(states, model, orLoading: false);

    /// <summary>Replicas of the highest version that answers requests or is being loaded.</summary>
    public static int Wanted(IServingStates states, string model) => Count(states, model, orLoading: true);

    /// <summary>A version that its next request loads counts as one.</summary>
    private static int Count(IServingStates states, string model, bool orLoading) =>
        states.TryGet(model, out var state)
            ? state.Versions
                .Where(version => version.State == ModelVersionState.Ready || (orLoading && version.State == ModelVersionState.Loading))
                .Select(version => version.State == ModelVersionState.Ready ? Math.Max(1, version.Replicas.Length) : version.Arriving.Length)
                .FirstOrDefault()
            : 0;
}
