namespace Cluster.Runtime.CodeGeneration;

/// <summary>Takes what an application part describes.</summary>
public interface IApplicationPartSink
{
    /// <summary>A grain interface and the constructor of its proxy.</summary>
    void AddInterface(Type grainInterface, Func<GrainReferenceSeed, GrainReference> createReference);

    /// <summary>A grain class and every grain interface that it implements.</summary>
    void AddClass(Type grainClass, params Type[] grainInterfaces);
}
