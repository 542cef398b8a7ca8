using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;
using Cluster.Grains.Registry;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Aliases;

/// <inheritdoc cref="IAliasGrain"/>
/// <remarks>
/// Only this grain changes its alias, one change at a time, so that comparing and setting is one step. An alias moves in this order, each step of which may be the
/// last before a crash. The steps: refer to the new model, keep the alias, tell the gateways, let go of the old model. What a crash leaves referred to
/// without need is let go of by <see cref="RestoreAsync"/>. <see cref="AliasPlan"/> decides; this class does it. <see cref="AliasLoad"/> waits for a load
/// outside of the grain's turns, and its end comes back as a <see cref="ReviewAsync"/>.
/// </remarks>
[ControlPlacement]
[GrainType(ClusterGrains.AliasType)]
internal sealed class AliasGrain : Grain, IAliasGrain
{
    private readonly IPersistentState<AliasGrainState> _stored;
    private readonly IAliases _aliases;
    private readonly IServingStates _states;
    private readonly AliasLoad _load;
    private readonly TimeProvider _time;
    private readonly ILogger<AliasGrain> _logger;
    private TaskCompletionSource _changed = NewSignal();
    private bool _isMoving;

    public AliasGrain(
        [PersistentState("alias", ModelGrains.StorageName)] IPersistentState<AliasGrainState> stored,
        IAliases aliases,
        IServingStates states,
        RegistryOptions options,
        TimeProvider time,
        ILogger<AliasGrain> logger)
    {
        _time = time;
        _stored = stored;
        _aliases = aliases;
        _states = states;
        _logger = logger;
        _load = new AliasLoad(this, () => State, Registry, DelayDeactivation, states, options.RetryFailedTarget, logger);
    }

    private string Name => this.GetPrimaryKeyString();

    private AliasState? State => _stored.State.Alias;

    /// <summary>Goes on with what a crash interrupted.</summary>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _load.Proceed();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _load.End();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask<AliasOutcome> SetAsync(AliasChange change)
    {
        RegisteredModelRules.CheckName(Name, "alias");
        RegisteredModelRules.CheckName(change.Target, "model");
        if (AliasPlan.Refusal(Name, State, change) is { } refusal)
        {
            throw new ServingException(refusal);
        }

        var before = State;
        await AcquireAsync(change.Target, change.Info, change.AutoDelete);
        var activeReplicas = before is null ? 0 : ServingReplicas.Wanted(_states, before.Active);
        var next = AliasPlan.Next(Name, before, change, activeReplicas, ServingReplicas.Ready(_states, change.Target));
        if (next != before)
        {
            await MoveAsync(next);
        }
        else if (!_load.IsUnderWay)
        {
            _load.Proceed();
        }

        return new AliasOutcome(next, activeReplicas > 0 && before!.Active != change.Target);
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(string? owner)
    {
        if (State is not { } state || (owner is not null && owner != state.Owner))
        {
            EndIfAbsent();
            return;
        }

        await _stored.ClearStateAsync();
        _aliases.Remove(Name);
        Log.Deleted(_logger, Name);
        Signal();
        await ReleaseAsync(AliasPlan.References(state));
        EndIfAbsent();
    }

    /// <inheritdoc/>
    public async ValueTask<AliasState> SetTrafficAsync(TrafficRule? rule)
    {
        if (TrafficPlan.Refusal(Name, State, rule) is { } refusal)
        {
            EndIfAbsent();
            throw new ServingException(refusal);
        }

        if (rule is null)
        {
            if (State!.Traffic is not null)
            {
                await MoveAsync(State with { Traffic = null });
            }

            return State;
        }

        await AcquireAsync(rule.Candidate, info: null, autoDelete: false);

        // Of the clock too, so that an alias that was deleted and set again does not begin with a number that gateways know.
        var revision = Math.Max(_stored.State.LastRevision + 1, _time.GetUtcNow().ToUnixTimeMilliseconds());
        await MoveAsync(TrafficPlan.Next(State!, rule, revision, _states));
        return State!;
    }

    /// <inheritdoc/>
    public async ValueTask<AliasState?> RollBackAsync(TrafficVerdict verdict)
    {
        if (State is { } state && TrafficPlan.RollBack(state, verdict, _time.GetUtcNow()) is var next && next != state)
        {
            await MoveAsync(next);
        }

        EndIfAbsent();
        return State;
    }

    /// <inheritdoc/>
    public ValueTask<AliasState?> GetAsync()
    {
        EndIfAbsent();
        return ValueTask.FromResult(State);
    }

    /// <inheritdoc/>
    public async ValueTask<AliasState?> WaitAsync(string target, CancellationToken cancellationToken)
    {
        while (_isMoving || (State is { AwaitedFailure: null } state && state.Awaited == target))
        {
            await _changed.Task.WaitAsync(cancellationToken);
        }

        return State;
    }

    /// <inheritdoc/>
    public async ValueTask ReviewAsync(string target, string? failure)
    {
        if (State is not { } state || state.Awaited != target)
        {
            return;
        }

        var next = state.InTransition
            ? AliasPlan.Review(state, ServingReplicas.Wanted(_states, state.Active), ServingReplicas.Ready(_states, target))
            : TrafficPlan.Review(state, _states);
        if (next.Awaited is not null && failure is not null)
        {
            next = AliasPlan.Failed(next, failure);
        }

        if (next != state)
        {
            await MoveAsync(next);
        }
    }

    /// <inheritdoc/>
    public async ValueTask RestoreAsync(string model)
    {
        if (State is { } state)
        {
            _aliases.Publish(state);
        }

        if (!AliasPlan.References(State).Contains(model))
        {
            await ReleaseAsync([model]);
        }

        EndIfAbsent();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Refers to a model, and waits until gateways know of it.</summary>
    private async Task AcquireAsync(string model, RegisteredInfo? info, bool autoDelete)
    {
        var registry = Registry(model);
        await registry.AcquireAsync(model, Name, info, autoDelete);
        try
        {
            await registry.SettleAsync(model, CancellationToken.None);
        }
        catch (ServingException)
        {
            if (!AliasPlan.References(State).Contains(model))
            {
                await ReleaseAsync([model]);
            }

            throw;
        }
    }

    /// <summary>Keeps and publishes the new state, releases models that it no longer refers to, and goes on.</summary>
    private async Task MoveAsync(AliasState next)
    {
        var before = State;
        _isMoving = true;
        try
        {
            await _stored.KeepAsync(new AliasGrainState { Alias = next, LastRevision = Math.Max(_stored.State.LastRevision, next.Traffic?.Revision ?? 0) });
            _aliases.Publish(next);
            Tell(before, next);
            await ReleaseAsync(AliasPlan.References(before).Except(AliasPlan.References(next)));
        }
        finally
        {
            // Only now, as a caller that waits for the move may unregister the old model next.
            _isMoving = false;
            Signal();
        }

        _load.Proceed();
    }

    private void Tell(AliasState? before, AliasState next)
    {
        if (next.Failure is { } failure)
        {
            Log.TargetFailed(_logger, Name, next.Target, failure, next.Active);
        }
        else if (next.InTransition)
        {
            Log.Moves(_logger, Name, next.Active, next.Target);
        }
        else if (before?.Active != next.Active)
        {
            Log.Moved(_logger, Name, next.Active);
        }

        if (before?.Traffic != next.Traffic)
        {
            TellOfTraffic(before?.Traffic, next.Traffic);
        }
    }

    private void TellOfTraffic(TrafficState? before, TrafficState? now)
    {
        if (now is null)
        {
            Log.TrafficEnded(_logger, Name, before!.Rule.Candidate);
        }
        else if (now.RolledBack is { } rollback)
        {
            Log.TrafficRolledBack(_logger, Name, now.Rule.Candidate, rollback.By, rollback.Reason);
        }
        else if (now.Failure is { } failure)
        {
            Log.CandidateFailed(_logger, Name, now.Rule.Candidate, failure);
        }
        else if (now.Loaded)
        {
            Log.TrafficBegun(_logger, Name, now.Rule.Percent, now.Rule.Shadow ? "copied to" : "answered by", now.Rule.Candidate);
        }
        else
        {
            Log.CandidateAwaited(_logger, Name, now.Rule.Candidate);
        }
    }

    private async Task ReleaseAsync(IEnumerable<string> models)
    {
        foreach (var model in models.ToList())
        {
            await Registry(model).ReleaseAsync(model, Name);
        }
    }

    private void Signal() => Interlocked.Exchange(ref _changed, NewSignal()).TrySetResult();

    /// <summary>Clients may ask for a name that is no alias. Its activation ends at once.</summary>
    private void EndIfAbsent()
    {
        if (State is null)
        {
            DeactivateOnIdle();
        }
    }

    private IRegistryGrain Registry(string model) => GrainFactory.GetGrain<IRegistryGrain>(RegistryShards.Of(model));
}
