using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Registry;

/// <summary>
/// One alias. The key is its name. It moves to another model when that has as many loaded replicas as the model that answers now. The move is one step and fails no
/// request. The models that it refers to cannot be unregistered.
/// </summary>
[Alias("alias")]
public interface IAliasGrain : IGrainWithStringKey
{
    /// <summary>
    /// Creates the alias, or has it move. Returns when it has moved or is about to; <see cref="WaitAsync"/> tells of the end. Asking again for a
    /// target that failed to load tries it again.
    /// </summary>
    /// <exception cref="ServingException">
    /// INVALID_ARGUMENT: a bad name. NOT_FOUND: no such alias and the change is for an existing one, or no such target. FAILED_PRECONDITION: its target is
    /// not the expected one. ALREADY_EXISTS: it has another owner, or the target has other info.
    /// </exception>
    [ResponseTimeout("00:10:00"), Alias("set")]
    ValueTask<AliasOutcome> SetAsync(AliasChange change);

    /// <summary>Removes the alias, unless it has another owner than the given one. Null for any owner.</summary>
    [Alias("delete")]
    ValueTask DeleteAsync(string? owner);

    /// <summary>
    /// Gives the alias a rule, with a new revision, and has the candidate loaded; <see cref="WaitAsync"/> tells of the end of that. A rule ends when the alias is set to another target.
    /// </summary>
    /// <param name="rule">Null to end the present rule.</param>
    /// <exception cref="ServingException">
    /// NOT_FOUND: no such alias, or no such candidate. INVALID_ARGUMENT: a rule that cannot be. FAILED_PRECONDITION: the alias is on its way to another model.
    /// </exception>
    [ResponseTimeout("00:10:00"), Alias("set-traffic")]
    ValueTask<AliasState> SetTrafficAsync(TrafficRule? rule);

    /// <summary>Ends the share of the rule of that revision. Does nothing where there is another rule, or where that has ended.</summary>
    /// <returns>The alias then; null if there is none.</returns>
    [Alias("roll-back")]
    ValueTask<AliasState?> RollBackAsync(TrafficVerdict verdict);

    /// <summary>The alias now; null if there is none.</summary>
    [AlwaysInterleave, Alias("get")]
    ValueTask<AliasState?> GetAsync();

    /// <summary>Waits while <paramref name="target"/> is loaded for the alias, as its target or its candidate, and has not failed. Returns the alias then, null if it is gone.</summary>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("wait")]
    ValueTask<AliasState?> WaitAsync(string target, CancellationToken cancellationToken);

    /// <summary>
    /// The model that the alias moves to, or its candidate, may have become ready, or has failed to load. Does nothing if the alias waits for another one.
    /// </summary>
    /// <param name="failure">Why it does not load. Null if no failure is known.</param>
    [Alias("review")]
    ValueTask ReviewAsync(string target, string? failure);

    /// <summary>
    /// After a start: publishes the alias and goes on with its move or load. Releases <paramref name="model"/> if the alias does not refer to it.
    /// </summary>
    [Alias("restore")]
    ValueTask RestoreAsync(string model);
}

[GenerateSerializer, Immutable, Alias("alias-change")]
public sealed record AliasChange
{
    /// <summary>The model to move to.</summary>
    [Id(0)]
    public required string Target { get; init; }

    /// <summary>Of a new alias; an existing one must have this owner. Null for any owner.</summary>
    [Id(1)]
    public string? Owner { get; init; }

    /// <summary>If given, the target is registered with it.</summary>
    [Id(2)]
    public RegisteredInfo? Info { get; init; }

    /// <summary>Whether a target that this change registers is removed when no alias refers to it any more.</summary>
    [Id(3)]
    public bool AutoDelete { get; init; }

    /// <summary>Whether the alias must be there already.</summary>
    [Id(4)]
    public bool UpdateOnly { get; init; }

    /// <summary>Whether the alias moves at once, ready target or not.</summary>
    [Id(5)]
    public bool Force { get; init; }

    /// <summary>The target that the alias must have now; the same as <see cref="Target"/>: or it must be absent. Null for any.</summary>
    [Id(6)]
    public string? Expected { get; init; }
}

/// <summary>The result of an <see cref="AliasChange"/>.</summary>
/// <param name="State">The alias now.</param>
/// <param name="ReplacedLoaded">Whether the alias left, or is about to leave, a model that is loaded.</param>
[GenerateSerializer, Immutable, Alias("alias-outcome")]
public sealed record AliasOutcome([property: Id(0)] AliasState State, [property: Id(1)] bool ReplacedLoaded);
