using System.Collections.Concurrent;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;

namespace Cluster.Gateway.Routing;

/// <summary>Has models load versions that requests wait for: one call at a time for each version, however many requests wait.</summary>
internal sealed class ReplicaLoads(IGrainFactory grains, ControlCalls control)
{
    private readonly ConcurrentDictionary<(string Model, long Version), Lazy<Task>> _loads = new();

    /// <summary>Returns once the version is in memory, as its model says. This process may hear of that later. A load goes on when its callers give up.</summary>
    /// <param name="missing">A replica that is not where it should be; null for none.</param>
    /// <exception cref="ServingException">As <see cref="IModelGrain.EnsureLoadedAsync"/>.</exception>
    public async Task EnsureAsync(string model, long version, ModelReplicaId? missing, CancellationToken cancellationToken)
    {
        var load = _loads.GetOrAdd((model, version), key => new Lazy<Task>(() => LoadAsync(key, missing)));
        await load.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task LoadAsync((string Model, long Version) key, ModelReplicaId? missing)
    {
        try
        {
            await control.RunAsync(
                () => grains.GetModel(key.Model).EnsureLoadedAsync(key.Version, missing, CancellationToken.None), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _loads.TryRemove(key, out _);
        }
    }
}
