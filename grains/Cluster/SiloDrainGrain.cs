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

/// <summary>Drains one silo; the key is the silo's address in its parsable form, and the grain is there.</summary>
[Alias("silo-drain-grain")]
internal interface ISiloDrainGrain : IGrainWithStringKey
{
    /// <summary>Has the silo take nothing new and its replicas be elsewhere, or take replicas again. Returns once others are told; replicas move after that.</summary>
    [Alias("ask")]
    ValueTask AskAsync(bool drains);
}
