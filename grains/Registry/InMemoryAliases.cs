using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Registry;

namespace Cluster.Grains.Registry;

/// <summary>The aliases of a cluster that is one process.</summary>
public sealed class InMemoryAliases : IAliases
{
    private readonly ConcurrentDictionary<string, AliasState> _aliases = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public event Action<string>? Changed;

    /// <inheritdoc/>
    public IEnumerable<AliasState> All => _aliases.Values;

    /// <inheritdoc/>
    public bool TryGet(string alias, [NotNullWhen(true)] out AliasState? state) => _aliases.TryGetValue(alias, out state);

    /// <inheritdoc/>
    public void Publish(AliasState state)
    {
        _aliases[state.Alias] = state;
        Changed?.Invoke(state.Alias);
    }

    /// <inheritdoc/>
    public void Remove(string alias)
    {
        if (_aliases.TryRemove(alias, out _))
        {
            Changed?.Invoke(alias);
        }
    }
}
