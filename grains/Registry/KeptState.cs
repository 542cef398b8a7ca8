using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;

namespace Cluster.Grains.Registry;

/// <summary>States that clients see only once they are stored.</summary>
internal static class KeptState
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>Sets and writes a state. What cannot be written is not in memory either, so that a second try does not take it for done.</summary>
    /// <exception cref="ServingException">UNAVAILABLE, with the cause: the store is away or refuses the write, which no other silo would change.</exception>
    public static async Task KeepAsync<T>(this IPersistentState<T> stored, T next)
    {
        var before = stored.State;
        stored.State = next;
        try
        {
            await stored.WriteStateAsync();
        }
        catch (SiloUnavailableException exception)
        {
            stored.State = before;
            throw new ServingException(Failure.Unavailable(exception.Message, RetryAfter), exception);
        }
    }
}

/// <summary>What one shard of the registry keeps.</summary>
[GenerateSerializer, Alias("registry-state")]
public sealed record RegistryState
{
    /// <summary>By model.</summary>
    [Id(0)]
    public ImmutableDictionary<string, RegistryEntry> Entries { get; init; } = ImmutableDictionary<string, RegistryEntry>.Empty;

    /// <summary>Unregistered models with grains that may not know it yet, as the silo that tells them may be lost meanwhile.</summary>
    [Id(1)]
    public ImmutableHashSet<string> Leaving { get; init; } = [];
}
