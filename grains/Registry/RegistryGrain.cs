using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace Cluster.Grains.Registry;

/// <inheritdoc cref="IRegistryGrain"/>
/// <remarks>
/// One change at a time, and none of them waits for a load. Models are handed to their grains without waiting, in the order of the changes. A model's grain takes
/// them in that order. Kept alive, because the hand-overs of a start go on after the call that began them.
/// </remarks>
[ControlPlacement, KeepAlive]
[GrainType(ClusterGrains.RegistryType)]
internal sealed class RegistryGrain : Grain, IRegistryGrain
{
    /// <summary>Others take the place of a silo that was lost in about this time.</summary>
    private static readonly TimeSpan RetryLost = TimeSpan.FromMilliseconds(500);

    /// <summary>Calls of one hand-over that may be lost: a silo that stopped without a word is noticed in 5 s.</summary>
    private const int MostLost = 20;

    /// <summary>When a hand-over begins again that ended without a silo or without the store. Its waiting callers got that failure.</summary>
    private static readonly TimeSpan RetryHandOver = TimeSpan.FromSeconds(5);

    /// <summary>Of the models that leave, those with a grain that knows it.</summary>
    private readonly HashSet<string> _left = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task> _handingOver = new(StringComparer.Ordinal);
    private readonly IPersistentState<RegistryState> _stored;
    private readonly IRegistrations _registrations;
    private readonly IServingStates _states;
    private readonly RegisteredModelReader _reader;
    private readonly TimeProvider _time;
    private readonly ILogger<RegistryGrain> _logger;
    private bool _isEnding;

    public RegistryGrain(
        [PersistentState("registry", ModelGrains.StorageName)] IPersistentState<RegistryState> stored,
        IRegistrations registrations,
        IServingStates states,
        RegisteredModelReader reader,
        TimeProvider time,
        ILogger<RegistryGrain> logger)
    {
        _stored = stored;
        _registrations = registrations;
        _states = states;
        _reader = reader;
        _time = time;
        _logger = logger;
    }

    private ImmutableDictionary<string, RegistryEntry> Entries => _stored.State.Entries;

    /// <summary>Hands over models that were registered before this start.</summary>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        foreach (var entry in Entries.Values.Where(entry => entry.Info is not null))
        {
            HandOver(entry.Model, () => ReadAndApplyAsync(entry.Model));
        }

        foreach (var model in _stored.State.Leaving)
        {
            HandOver(model, () => LeaveAsync(model));
        }

        return Task.CompletedTask;
    }

    /// <summary>The next activation hands over what this one has not: what this one knows gets old.</summary>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _isEnding = true;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask RegisterAsync(string model, RegisteredInfo info)
    {
        var loadNow = info.LoadNow;
        info = info with { LoadNow = false };
        if (CheckNew(model, info))
        {
            await CreateAsync(new RegistryEntry { Model = model, Info = info, Aliases = Entries.GetValueOrDefault(model)?.Aliases ?? [] }, loadNow);
        }
        else if (!_handingOver.ContainsKey(model) && !_states.TryGet(model, out _))
        {
            HandOver(model, () => ReadAndApplyAsync(model));
        }
    }

    /// <inheritdoc/>
    public async ValueTask UnregisterAsync(string model)
    {
        if (Entries.GetValueOrDefault(model) is not { Info: not null } entry)
        {
            if (IsInRepository(model))
            {
                throw new ServingException(new Failure(
                    StatusCode.FailedPrecondition, $"model '{model}' is in the model repository; it goes when it is removed from there"));
            }

            return;
        }

        if (!entry.Aliases.IsEmpty)
        {
            throw new ServingException(new Failure(
                StatusCode.FailedPrecondition,
                $"model '{model}' has referents: the aliases {string.Join(", ", entry.Aliases.Take(5).Select(alias => $"'{alias}'"))}{(entry.Aliases.Length > 5 ? ", …" : "")}"));
        }

        await RemoveAsync(model, "unregistered");
    }

    /// <inheritdoc/>
    public ValueTask<RegistryEntry?> FindAsync(string model) => ValueTask.FromResult(Entries.GetValueOrDefault(model));

    /// <inheritdoc/>
    public ValueTask<ImmutableArray<RegistryEntry>> ListAsync() => ValueTask.FromResult(Entries.Values.ToImmutableArray());

    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<RegistryEntry>> RestoreAsync(CancellationToken cancellationToken)
    {
        foreach (var handingOver in _handingOver.Values.ToList())
        {
            await Ended(handingOver.WaitAsync(cancellationToken));
        }

        return [.. Entries.Values];
    }

    /// <inheritdoc/>
    public async ValueTask SettleAsync(string model, CancellationToken cancellationToken)
    {
        if (_handingOver.TryGetValue(model, out var handingOver))
        {
            try
            {
                await handingOver.WaitAsync(cancellationToken);
            }
            finally
            {
                // Told once: the next change begins anew.
                if (handingOver.IsFaulted && _handingOver.GetValueOrDefault(model) == handingOver)
                {
                    _handingOver.Remove(model);
                }
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask EnsureLoadedAsync(string model, CancellationToken cancellationToken)
    {
        if (_handingOver.TryGetValue(model, out var handingOver))
        {
            await Ended(handingOver.WaitAsync(cancellationToken));
        }

        var isRegistered = Entries.GetValueOrDefault(model)?.Info is not null;
        if (!isRegistered && !IsInRepository(model))
        {
            throw new ServingException(Failure.NotFound($"model '{model}' is not found"));
        }

        // A serving model has its registered content. One that does not serve may have been mended meanwhile.
        if (isRegistered && !ServingReplicas.IsReady(_states, model))
        {
            HandOver(model, () => ReadAndApplyAsync(model));
            await SettleAsync(model, cancellationToken);
        }

        await Model(model).LoadAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask AcquireAsync(string model, string alias, RegisteredInfo? info, bool autoDelete)
    {
        var known = Entries.GetValueOrDefault(model);
        if (info is not null && CheckNew(model, info))
        {
            await CreateAsync(new RegistryEntry { Model = model, Info = info, AutoDelete = autoDelete, Aliases = With(known?.Aliases ?? [], alias) });
            return;
        }

        if (known?.Info is null && !IsInRepository(model))
        {
            throw new ServingException(Failure.NotFound($"target model '{model}' of alias '{alias}' is not found"));
        }

        known ??= new RegistryEntry { Model = model };
        if (!known.Aliases.Contains(alias))
        {
            await KeepAsync(Entries.SetItem(model, known with { Aliases = With(known.Aliases, alias) }));
        }
    }

    /// <inheritdoc/>
    public async ValueTask ReleaseAsync(string model, string alias)
    {
        if (Entries.GetValueOrDefault(model) is not { } entry || !entry.Aliases.Contains(alias))
        {
            return;
        }

        var left = entry with { Aliases = entry.Aliases.Remove(alias) };
        if (!left.Aliases.IsEmpty || (left.Info is not null && !left.AutoDelete))
        {
            await KeepAsync(Entries.SetItem(model, left));
        }
        else if (left.Info is null)
        {
            await KeepAsync(Entries.Remove(model));
        }
        else
        {
            await RemoveAsync(model, $"no alias refers to it any more, the last was '{alias}'");
        }
    }

    private static ImmutableArray<string> With(ImmutableArray<string> aliases, string alias) =>
        aliases.Contains(alias) ? aliases : aliases.Add(alias).Sort(StringComparer.Ordinal);

    /// <summary>False if the model is registered so already.</summary>
    /// <exception cref="ServingException">It must not be registered so.</exception>
    private bool CheckNew(string model, RegisteredInfo info)
    {
        RegisteredModelRules.Check(model, info);
        if (Entries.GetValueOrDefault(model)?.Info is { } known)
        {
            return known == info with { Owner = known.Owner } ? false : throw new ServingException(new Failure(
                StatusCode.AlreadyExists,
                $"model '{model}' already exists with different attribute values: type '{known.Type}', path '{known.Path}'{(known.Key == info.Key ? "" : ", another key")}"));
        }

        if (IsInRepository(model))
        {
            throw new ServingException(new Failure(StatusCode.AlreadyExists, $"model '{model}' is in the model repository"));
        }

        _reader.RequireRoot(info);
        return true;
    }

    private bool IsInRepository(string model) =>
        _registrations.TryGet(model, out var registration) && registration.Origin == RegistrationOrigin.Repository;

    /// <param name="loadNow">Whether the hand-over includes the load.</param>
    private async Task CreateAsync(RegistryEntry entry, bool loadNow = false)
    {
        // The files are read while the entry is written; a hand-over that is repeated reads them again.
        Task<ModelRegistration>? read = _reader.ReadAsync(entry.Model, entry.Info!);
        await KeepAsync(Entries.SetItem(entry.Model, entry), _stored.State.Leaving.Remove(entry.Model));
        Log.Registered(_logger, entry.Model, entry.Info!.Type, entry.Info.Path);
        HandOver(entry.Model, () => ApplyAsync(entry.Model, Interlocked.Exchange(ref read, null), loadNow));
    }

    private async Task RemoveAsync(string model, string reason)
    {
        _left.Remove(model);
        await KeepAsync(Entries.Remove(model), _stored.State.Leaving.Add(model));
        Log.Unregistered(_logger, model, reason);
        HandOver(model, () => LeaveAsync(model));
    }

    private async Task LeaveAsync(string model)
    {
        if (Entries.GetValueOrDefault(model)?.Info is not null)
        {
            return;
        }

        await ApplyAsync(new ModelRegistration { Name = model, Versions = [], Origin = RegistrationOrigin.Registered });
        _left.Add(model);
    }

    private Task ReadAndApplyAsync(string model) => ApplyAsync(model, read: null, loadNow: false);

    /// <param name="read">The model's files as they are read; null where they are to be read anew.</param>
    private async Task ApplyAsync(string model, Task<ModelRegistration>? read, bool loadNow)
    {
        if (Entries.GetValueOrDefault(model)?.Info is not { } info)
        {
            return;
        }

        var registration = await (read ?? _reader.ReadAsync(model, info)) with { Owner = info.Owner, LoadNow = loadNow };

        // Unregistered meanwhile: its removal has been handed over already and must stay the last word.
        if (Entries.GetValueOrDefault(model)?.Info == info)
        {
            await ApplyAsync(registration);
        }
    }

    private async Task ApplyAsync(ModelRegistration registration)
    {
        try
        {
            await Model(registration.Name).ApplyAsync(registration, retryFailed: false, CancellationToken.None);
        }
        catch (InconsistentStateException)
        {
            // A write before this one took effect unanswered, in a Redis that hung. That activation ends, and the next one reads the stored state.
            await Model(registration.Name).ApplyAsync(registration, retryFailed: false, CancellationToken.None);
        }
    }

    /// <summary>Remembers a hand-over until it has ended well, for those who wait for it.</summary>
    private void HandOver(string model, Func<Task> tell)
    {
        var task = TellAsync(tell, _handingOver.GetValueOrDefault(model, Task.CompletedTask));
        _handingOver[model] = task;
        _ = FollowAsync(model, task, tell);
    }

    /// <summary>Tells a model, and once more if the hand-over before was still on its way. Where a grain moves, messages to it can overtake each other.</summary>
    private async Task TellAsync(Func<Task> tell, Task before)
    {
        await TellUntilHeardAsync(tell);
        if (!before.IsCompleted)
        {
            await Ended(before);
            await TellUntilHeardAsync(tell);
        }
    }

    /// <summary>Without this, a model that was unregistered as its silo died would serve until the registry's next start.</summary>
    private async Task TellUntilHeardAsync(Func<Task> tell)
    {
        for (var lost = 0; !_isEnding; lost++)
        {
            try
            {
                await tell();
                return;
            }
            catch (Exception exception) when (IsPassing(exception) && lost < MostLost)
            {
                await Task.Delay(RetryLost, _time);
            }
        }
    }

    /// <summary>
    /// Forgets a hand-over that ended well. One that ended without a silo or without the store begins again, as no other call may come for its model.
    /// </summary>
    private async Task FollowAsync(string model, Task task, Func<Task> tell)
    {
        await Ended(task);
        if (_isEnding)
        {
            return;
        }

        if (task.Exception?.InnerException is { } failure)
        {
            Log.HandOverFailed(_logger, model, failure.Message);
            if (IsPassing(failure))
            {
                await Task.Delay(RetryHandOver, _time);
                if (!_isEnding && (!_handingOver.TryGetValue(model, out var last) || last == task))
                {
                    HandOver(model, tell);
                }
            }
        }
        else if (_handingOver.GetValueOrDefault(model) == task)
        {
            _handingOver.Remove(model);
        }
    }

    /// <summary>Whether a silo was lost, or the model could not keep what it was told: another try may do.</summary>
    private static bool IsPassing(Exception exception) =>
        exception is SiloUnavailableException or ServingException { Failure.Code: StatusCode.Unavailable };

    /// <summary>Waits for a task's end, whichever it is.</summary>
    private static ConfiguredTaskAwaitable Ended(Task task) =>
        task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

    private IModelGrain Model(string model) => GrainFactory.GetGrain<IModelGrain>(model);

    private Task KeepAsync(ImmutableDictionary<string, RegistryEntry> entries) => KeepAsync(entries, _stored.State.Leaving);

    /// <summary>Those that have left go with the next change: a write of their own would meet that change's.</summary>
    private Task KeepAsync(ImmutableDictionary<string, RegistryEntry> entries, ImmutableHashSet<string> leaving) =>
        _stored.KeepAsync(new RegistryState { Entries = entries, Leaving = leaving.Except(_left) });
}
