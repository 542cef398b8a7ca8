using Cluster.Grains.Placement;

namespace Cluster.Grains.Cluster;

/// <inheritdoc cref="ISiloDrainGrain"/>
[SiloPlacement]
internal sealed class SiloDrainGrain(AskedDrain drain) : Grain, ISiloDrainGrain
{
    /// <inheritdoc/>
    public ValueTask AskAsync(bool drains)
    {
        drain.Ask(drains);
        return ValueTask.CompletedTask;
    }
}
