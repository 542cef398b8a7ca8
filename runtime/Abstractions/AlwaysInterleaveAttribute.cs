namespace Cluster.Runtime;

/// <summary>This interface method interleaves with whatever runs; still one turn at a time.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class AlwaysInterleaveAttribute : Attribute
{
}
