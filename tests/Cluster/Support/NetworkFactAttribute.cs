using Xunit;

namespace Cluster.ClusterTests.Support;

/// <summary>A fact that needs network namespaces; skipped, with the reason, where there are none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NetworkFactAttribute : FactAttribute
{
    public NetworkFactAttribute() => Skip = NetworkLab.MissingReason;
}
