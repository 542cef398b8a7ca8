namespace Cluster.Runtime;

/// <summary>Requests to grains of this class interleave at awaits; still one turn at a time.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ReentrantAttribute : Attribute
{
}
