using System.Diagnostics.CodeAnalysis;

namespace Cluster.Contracts.Registry;

/// <summary>This process's replica of every alias. Reads take no lock and no network; safe from any thread.</summary>
public interface IAliases
{
    /// <summary>Called after an alias was replaced or removed, with its name; once a change, never concurrently for one alias.</summary>
    event Action<string>? Changed;

    /// <summary>Every alias, in no order.</summary>
    IEnumerable<AliasState> All { get; }

    bool TryGet(string alias, [NotNullWhen(true)] out AliasState? state);

    /// <summary>Replaces an alias: from then on its new active model answers.</summary>
    void Publish(AliasState state);

    /// <summary>Forgets an alias.</summary>
    void Remove(string alias);
}
