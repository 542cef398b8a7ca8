using Cluster.Contracts.Serving;

namespace Cluster.Grains.Registry;

/// <summary>How many copies of a model there are, as this process knows.</summary>
internal static class ServingCopies
{
    /// <summary>Whether a version answers requests.</summary>
    public static bool IsReady(IServingStates states, string model) => Ready(states, model) > 0;

    /// <summary>Copies of the highest version that answers requests.</summary>
    public static int Ready(IServingStates states, string model) => Count(states, model, orLoading: false);

    /// <summary>Copies of the highest version that answers requests or is being loaded.</summary>
    public static int Wanted(IServingStates states, string model) => Count(states, model, orLoading: true);

    private static int Count(IServingStates states, string model, bool orLoading) =>
        states.TryGet(model, out var state)
            ? state.Versions
                .Where(version => version.State == ModelVersionState.Ready || (orLoading && version.State == ModelVersionState.Loading))
                .Select(version => version.Copies.Length)
                .FirstOrDefault()
            : 0;
}
