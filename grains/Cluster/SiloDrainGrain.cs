using Cluster.Grains.Placement;
using Orleans.GrainDirectory;

namespace Cluster.Grains.Cluster;

/// <inheritdoc cref="ISiloDrainGrain"/>
[SiloPlacement, GrainDirectory(KeyDirectory.Silos)]
internal sealed class SiloDrainGrain(AskedDrain drain) : Grain, ISiloDrainGrain
{
    /// <inheritdoc/>
    public ValueTask AskAsync(bool drains)
    {
        drain.Ask(drains);
        return ValueTask.CompletedTask;
    }
}
