using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;

namespace Cluster.Grains.Aliases;

/// <summary>What becomes of an alias. Pure.</summary>
internal static class AliasPlan
{
    /// <summary>Why a change is refused for any target; null if it is not.</summary>
    /// <param name="now">Null where there is no such alias.</param>
    public static Failure? Refusal(string alias, AliasState? now, AliasChange change)
    {
        if (now is null)
        {
            if (change.UpdateOnly)
            {
                return Failure.NotFound($"alias '{alias}' is not found");
            }

            return change.Expected is null || change.Expected == change.Target
                ? null
                : Precondition($"alias '{alias}' is not found, expected one with the target '{change.Expected}'");
        }

        if (change.Owner is not null && change.Owner != now.Owner)
        {
            return new Failure(StatusCode.AlreadyExists, $"alias '{alias}' already exists with different owner \"{now.Owner}\"");
        }

        return change.Expected is null || change.Expected == now.Target || change.Target == now.Target
            ? null
            : Precondition($"alias '{alias}': existing target '{now.Target}' does not match expected '{change.Expected}'");
    }

    /// <summary>The alias after a change that is not refused.</summary>
    /// <param name="activeReplicas">Replicas of the model that answers now, those that are being loaded too.</param>
    /// <param name="targetReplicas">Replicas of the new target that answer.</param>
    public static AliasState Next(string alias, AliasState? now, AliasChange change, int activeReplicas, int targetReplicas)
    {
        if (now is null)
        {
            return new AliasState(alias, change.Owner, change.Target, change.Target);
        }

        // What a rule compares with, or tries out, is another model then.
        var next = now with { Target = change.Target, Failure = null, Traffic = change.Target == now.Target ? now.Traffic : null };
        return change.Force ? Switch(next) : Review(next, activeReplicas, targetReplicas);
    }

    /// <summary>
    /// Moves the alias once that costs no request: the target has as many replicas as the model that answers now, which may be none.
    /// </summary>
    /// <inheritdoc cref="Next"/>
    public static AliasState Review(AliasState now, int activeReplicas, int targetReplicas) =>
        now.InTransition && targetReplicas >= activeReplicas ? Switch(now) : now;

    /// <summary>The models that an alias refers to, each once.</summary>
    public static IEnumerable<string> References(AliasState? state)
    {
        IEnumerable<string> models = state is null ? [] : state.InTransition ? [state.Active, state.Target] : [state.Active];
        return state?.Traffic is { } traffic ? models.Append(traffic.Rule.Candidate).Distinct() : models;
    }

    /// <summary>Puts down why the model that the alias waits for does not load.</summary>
    public static AliasState Failed(AliasState now, string failure) =>
        now.InTransition ? now with { Failure = failure } : now with { Traffic = now.Traffic! with { Failure = failure } };

    private static AliasState Switch(AliasState state) => state with { Active = state.Target, Failure = null };

    private static Failure Precondition(string message) => new(StatusCode.FailedPrecondition, message);
}

/// <summary>What an alias's grain keeps.</summary>
[GenerateSerializer, Alias("alias-grain-state")]
public sealed record AliasGrainState
{
    /// <summary>Null where there is no such alias.</summary>
    [Id(0)]
    public AliasState? Alias { get; init; }

    /// <summary>Of the latest rule that the alias has had; 0 for none.</summary>
    [Id(1)]
    public long LastRevision { get; init; }
}
