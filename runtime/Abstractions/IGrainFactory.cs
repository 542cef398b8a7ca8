namespace Cluster.Runtime;

/// <summary>Makes references to grains. Making one is cheap, calls nobody and never fails because of where the grain is.</summary>
public interface IGrainFactory
{
    /// <summary>A reference to the grain with that key.</summary>
    /// <param name="primaryKey">Not empty; case matters.</param>
    /// <param name="grainClassNamePrefix">
    /// Chooses among several classes that implement the interface, by the beginning of the class's full name.
    /// </param>
    /// <exception cref="ArgumentException">No grain class implements the interface, several do, or the key is empty.</exception>
    TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey;

    /// <summary>A reference to the grain with that identity.</summary>
    TGrainInterface GetGrain<TGrainInterface>(GrainId grainId)
        where TGrainInterface : IAddressable;
}
