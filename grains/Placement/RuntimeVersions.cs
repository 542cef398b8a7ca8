using Cluster.Contracts.Nodes;

namespace Cluster.Grains.Placement;

/// <inheritdoc cref="IRuntimeVersions"/>
internal sealed class RuntimeVersions(ISiloStates states) : IRuntimeVersions
{
    public IEnumerable<string> All => states.All.Select(static state => state.Runtime).Where(static runtime => runtime.Length > 0).Distinct().Order(StringComparer.Ordinal);
}
