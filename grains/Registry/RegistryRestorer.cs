using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
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

/// <summary>How many replicas of a model there are, as this process knows.</summary>
internal static class ServingReplicas
{
    /// <summary>Whether a version answers requests.</summary>
    public static bool IsReady(IServingStates states, string model) => Ready(states, model) > 0;

    /// <summary>Replicas of the highest version that answers requests.</summary>
    public static int Ready(IServingStates states, string model) => Count(states, model, orLoading: false);

    /// <summary>Replicas of the highest version that answers requests or is being loaded.</summary>
    public static int Wanted(IServingStates states, string model) => Count(states, model, orLoading: true);

    /// <summary>A version that its next request loads counts as one.</summary>
    private static int Count(IServingStates states, string model, bool orLoading) =>
        states.TryGet(model, out var state)
            ? state.Versions
                .Where(version => version.State == ModelVersionState.Ready || (orLoading && version is { State: ModelVersionState.Loading, Arriving.IsEmpty: false }))
                .Select(version => version.State == ModelVersionState.Ready ? Math.Max(1, version.Replicas.Length) : version.Arriving.Length)
                .FirstOrDefault()
            : 0;
}
