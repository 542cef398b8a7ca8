using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Registry;

/// <summary>
/// One alias; the key is its name. It moves to another model when that is loaded as often as the model that answers now, in one step that no
/// request can fall into. The models that it refers to cannot be unregistered.
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

    /// <summary>The alias now; null if there is none.</summary>
    [AlwaysInterleave, Alias("get")]
    ValueTask<AliasState?> GetAsync();

    /// <summary>Waits while the alias is on its way to <paramref name="target"/> and that has not failed. Returns the alias then, null if it is gone.</summary>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("wait")]
    ValueTask<AliasState?> WaitAsync(string target, CancellationToken cancellationToken);

    /// <summary>
    /// The model that the alias moves to may have become ready, or has failed to load. Does nothing if it moves to another one.
    /// </summary>
    /// <param name="failure">Why it does not load; null if nothing of the kind is known.</param>
    [Alias("review")]
    ValueTask ReviewAsync(string target, string? failure);

    /// <summary>
    /// After a start: tells this process's gateways of the alias, goes on with what it was about to do, and lets go of <paramref name="model"/> if the alias
    /// does not refer to it.
    /// </summary>
    [Alias("restore")]
    ValueTask RestoreAsync(string model);
}
