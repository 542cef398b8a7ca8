using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Cluster.Grains.Placement;

/// <summary>The states of the silos of a cluster that is one process.</summary>
public sealed class InMemorySiloStates : ISiloStates
{
    private readonly ConcurrentDictionary<SiloAddress, SiloState> _states = new();

    /// <inheritdoc/>
    public IEnumerable<SiloState> All => _states.Select(static pair => pair.Value);

    /// <inheritdoc/>
    public bool TryGet(SiloAddress silo, [NotNullWhen(true)] out SiloState? state) => _states.TryGetValue(silo, out state);

    /// <inheritdoc/>
    public void Publish(SiloState state) => _states[state.Silo] = state;

    /// <inheritdoc/>
    public void Remove(SiloAddress silo) => _states.TryRemove(silo, out _);

    /// <inheritdoc/>
    public void RemoveDead()
    {
        // The one silo there is lives.
    }
}
