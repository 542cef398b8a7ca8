namespace Cluster.Runtime.CodeGeneration;

/// <summary>Written by the generator: names the type that describes an assembly's grain interfaces and classes.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class ApplicationPartAttribute(Type part) : Attribute
{
    /// <summary>Implements <see cref="IApplicationPart"/> and has a constructor without parameters.</summary>
    public Type Part { get; } = part;
}
