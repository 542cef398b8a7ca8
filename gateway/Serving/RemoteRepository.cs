using Cluster.Contracts;
using Cluster.Contracts.Models;
using Cluster.Gateway.Routing;

namespace Cluster.Gateway.Serving;

/// <summary>The model repository of a cluster whose silos are other processes.</summary>
internal sealed class RemoteRepository(IGrainFactory grains, ControlCalls control) : IRepositoryControl
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken) =>
        await control.RunAsync(() => grains.GetCluster().ReloadRepositoryAsync(cancellationToken), cancellationToken)
            .ConfigureAwait(false);
}
