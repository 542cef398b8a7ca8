namespace Cluster.Runtime.CodeGeneration;

/// <summary>Takes what an application part describes.</summary>
public interface IApplicationPartSink
{
    /// <summary>A grain interface, the constructor of its proxy, and its methods, those that it inherits included.</summary>
    void AddInterface(Type grainInterface, Func<GrainReferenceSeed, GrainReference> createReference, GrainMethod[] methods);

    /// <summary>A grain class and every grain interface that it implements.</summary>
    void AddClass(Type grainClass, params Type[] grainInterfaces);
}
