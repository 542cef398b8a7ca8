using Cluster.Contracts.Registry;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Registry;

/// <inheritdoc cref="IRegistryRestorer"/>
internal sealed class RegistryRestorer : IRegistryRestorer
{
    private readonly IGrainFactory _grains;
    private readonly ILogger<RegistryRestorer> _logger;

    public RegistryRestorer(IGrainFactory grains, ILogger<RegistryRestorer> logger)
    {
        _grains = grains;
        _logger = logger;
    }

    /// <inheritdoc/>
    public Task RestoreAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(RegistryShards.All.Select(shard => RestoreAsync(shard, cancellationToken)));

    private async Task RestoreAsync(string shard, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var entry in await _grains.GetGrain<IRegistryGrain>(shard).RestoreAsync(cancellationToken).ConfigureAwait(false))
            {
                foreach (var alias in entry.Aliases)
                {
                    await _grains.GetGrain<IAliasGrain>(alias).RestoreAsync(entry.Model).ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // What cannot be restored must not keep the rest from being served.
            Log.RestoreFailed(_logger, exception, shard);
        }
    }
}

/// <summary>Restores at a start the models that were registered before it.</summary>
public interface IRegistryRestorer
{
    /// <summary>Returns when gateways know every registered model and every alias. Nothing is loaded. Doing so twice does no harm.</summary>
    Task RestoreAsync(CancellationToken cancellationToken);
}
