namespace Cluster.Contracts.Serving;

/// <summary>How many models answer.</summary>
public static class ReadyModels
{
    /// <summary>Whether at least <paramref name="least"/> models have a version that answers, if need be after loading it again.</summary>
    public static bool HasReady(this IServingStates states, int least) =>
        least == 0 || states.All.Where(static state => state.Serves).Take(least).Count() == least;
}
