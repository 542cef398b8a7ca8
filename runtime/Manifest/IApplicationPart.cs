namespace Cluster.Runtime.CodeGeneration;

/// <summary>Implemented by the generator: describes an assembly's grain interfaces and classes.</summary>
public interface IApplicationPart
{
    /// <summary>Adds them.</summary>
    void Describe(IApplicationPartSink sink);
}
