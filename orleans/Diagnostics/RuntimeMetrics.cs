namespace Cluster.Runtime;

/// <summary>The meter of what is around Orleans.</summary>
internal static class RuntimeMetrics
{
    public const string MeterName = "Cluster.Runtime";
}
