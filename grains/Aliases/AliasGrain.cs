using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Grains.Registry;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Aliases;

/// <inheritdoc cref="IAliasGrain"/>
/// <remarks>
/// Only this grain changes its alias, one change at a time, so that comparing and setting is one step. An alias moves in this order, each step of which may be the
/// last before a crash. The steps: refer to the new model, keep the alias, tell the gateways, let go of the old model. What a crash leaves referred to
/// without need is let go of by <see cref="RestoreAsync"/>. <see cref="AliasPlan"/> decides; this class does it. A load is waited for outside of the
/// grain's turns and comes back as a <see cref="ReviewAsync"/>.
/// </remarks>
[GrainType(ClusterGrains.AliasType)]
internal sealed class AliasGrain : Grain, IAliasGrain
{
    /// <summary>A silo that took part in the load was lost, which says nothing about the target: others take its place in about this time.</summary>
    private static readonly TimeSpan RetryLost = TimeSpan.FromMilliseconds(500);

    /// <summary>How soon what could not be written is tried again.</summary>
    private static readonly TimeSpan RetryKeep = TimeSpan.FromSeconds(5);

    private readonly IPersistentState<AliasGrainState> _stored;
    private readonly IAliases _aliases;
    private readonly IServingStates _states;
    private readonly RegistryOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<AliasGrain> _logger;
    private TaskCompletionSource _changed = NewSignal();
    private IGrainTimer? _retry;
    private string? _loading;
    private bool _isMoving;
    private bool _isEnding;

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
        _options = options;
        _logger = logger;
    }

    private string Name => this.GetPrimaryKeyString();

    private AliasState? State => _stored.State.Alias;

    /// <summary>Goes on with what a crash interrupted.</summary>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Proceed();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _isEnding = true;
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
        else if (_loading is null && _retry is null)
        {
            Proceed();
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

    /// <summary>Keeps the new state, tells of it, lets go of what it does not refer to any more, and goes on.</summary>
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

        Proceed();
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

    /// <summary>Has the target, or the candidate, loaded, at once or, where it failed, after a while. An alias on its way stays activated.</summary>
    private void Proceed()
    {
        _retry?.Dispose();
        _retry = null;
        if (State?.Awaited is not { } awaited)
        {
            DelayDeactivation(TimeSpan.Zero);
            return;
        }

        DelayDeactivation(Timeout.InfiniteTimeSpan);
        if (State.AwaitedFailure is null)
        {
            Load(awaited);
        }
        else
        {
            RetryIn(_options.RetryFailedTarget);
        }
    }

    private Task RetryAsync(CancellationToken cancellationToken)
    {
        if (State?.Awaited is { } awaited)
        {
            Load(awaited);
        }

        return Task.CompletedTask;
    }

    private void Load(string target)
    {
        if (_loading != target)
        {
            _loading = target;
            _ = LoadAsync(target);
        }
    }

    private async Task LoadAsync(string target)
    {
        string? failure = null;
        var lost = false;
        try
        {
            await Registry(target).EnsureLoadedAsync(target, CancellationToken.None);
            failure = State is { InTransition: false, Traffic: { } traffic } ? TrafficPlan.Lacks(traffic.Rule, _states) : null;
        }
        catch (SiloUnavailableException)
        {
            lost = true;
        }
        catch (ServingException exception)
        {
            failure = exception.Failure.Message;
        }
        catch (Exception) when (_isEnding)
        {
            // The next activation begins anew.
            return;
        }
        catch (Exception exception)
        {
            // Of any kind: the alias must hear of it, or it would wait for ever.
            Log.LoadFailed(_logger, exception, Name, target);
            failure = $"internal error while loading model '{target}'";
        }

        if (_loading == target)
        {
            _loading = null;
            if (lost)
            {
                RetryIn(RetryLost);
                return;
            }
        }

        try
        {
            await this.AsReference<IAliasGrain>().ReviewAsync(target, failure);
        }
        catch (Exception) when (_isEnding)
        {
            // The next activation begins anew.
        }
        catch (Exception exception) when (exception is ServingException or OrleansException or TimeoutException)
        {
            // What became of the load cannot be written now: the alias would wait for ever.
            Log.NotReviewed(_logger, Name, target, exception.Message);
            RetryIn(RetryKeep);
        }
    }

    private void RetryIn(TimeSpan wait)
    {
        _retry?.Dispose();
        _retry = this.RegisterGrainTimer(RetryAsync, wait, _options.RetryFailedTarget);
    }

    private async Task ReleaseAsync(IEnumerable<string> models)
    {
        foreach (var model in models.ToList())
        {
            await Registry(model).ReleaseAsync(model, Name);
        }
    }

    private void Signal() => Interlocked.Exchange(ref _changed, NewSignal()).TrySetResult();

    /// <summary>Anybody may ask for a name that is no alias; the memory of that is given back at once.</summary>
    private void EndIfAbsent()
    {
        if (State is null)
        {
            DeactivateOnIdle();
        }
    }

    private IRegistryGrain Registry(string model) => GrainFactory.GetGrain<IRegistryGrain>(RegistryShards.Of(model));
}
