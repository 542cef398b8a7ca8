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

/// <summary>An alias: another name for a model, which may be moved to another model while clients use it.</summary>
/// <param name="Alias">The name that clients use.</param>
/// <param name="Owner">The name that its creator gave, to tell its aliases from those of others; null for none.</param>
/// <param name="Active">The model that answers.</param>
/// <param name="Target">The model that will answer once it is ready.</param>
/// <param name="Failure">Why the target does not load; null if it has not been found so.</param>
/// <param name="Traffic">Its traffic rule. Null without one.</param>
[GenerateSerializer, Immutable, Alias("alias-state")]
public sealed record AliasState(
    [property: Id(0)] string Alias,
    [property: Id(1)] string? Owner,
    [property: Id(2)] string Active,
    [property: Id(3)] string Target,
    [property: Id(4)] string? Failure = null,
    [property: Id(5)] TrafficState? Traffic = null)
{
    /// <summary>Whether the alias is on its way to another model.</summary>
    public bool InTransition => Active != Target;

    /// <summary>The model that is to be loaded for the alias; null for none.</summary>
    public string? Awaited => InTransition ? Target : Traffic is { IsWaiting: true } ? Traffic.Rule.Candidate : null;

    /// <summary>Why <see cref="Awaited"/> does not load; null if it has not been found so.</summary>
    public string? AwaitedFailure => InTransition ? Failure : Traffic?.Failure;
}
