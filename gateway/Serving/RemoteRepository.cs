using Cluster.Contracts.Models;
using Cluster.Gateway.Routing;

namespace Cluster.Gateway.Serving;

/// <summary>The model repository, asked where the cluster's controller watches it.</summary>
internal sealed class RemoteRepository(ClusterCalls cluster) : IRepositoryControl
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken) =>
        await cluster.RunAsync(grain => grain.ReloadRepositoryAsync(cancellationToken), cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<bool> ReadAsync(string model, CancellationToken cancellationToken) =>
        await cluster.RunAsync(grain => grain.ReadModelAsync(model, cancellationToken), cancellationToken).ConfigureAwait(false);
}
