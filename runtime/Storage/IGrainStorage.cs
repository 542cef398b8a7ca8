namespace Cluster.Runtime;

/// <summary>Stores states of grains. Registered under its name as a keyed service. Called concurrently.</summary>
public interface IGrainStorage
{
    /// <summary>Fills <paramref name="grainState"/>: a new state, no record and no ETag if nothing is stored.</summary>
    Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);

    /// <summary>Stores the state if its ETag is still the stored one, and gives it the new ETag.</summary>
    /// <exception cref="InconsistentStateException">The ETags differ.</exception>
    Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);

    /// <summary>Removes the state if its ETag is still the stored one.</summary>
    /// <exception cref="InconsistentStateException">The ETags differ.</exception>
    Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);
}
