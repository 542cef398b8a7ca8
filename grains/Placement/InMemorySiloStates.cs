using System.Collections.Concurrent;

namespace Cluster.Grains.Placement;

/// <summary>The silo states of a cluster that is one process.</summary>
public sealed class InMemorySiloStates : ISiloStates
{
    private readonly ConcurrentDictionary<SiloAddress, SiloState> _states = new();

    /// <inheritdoc/>
    public IEnumerable<SiloState> All => _states.Values;

    /// <inheritdoc/>
    public void Publish(SiloState state) => _states[state.Silo] = state;
}
