using Cluster.Contracts.Protocol.Mesh;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Security;
using Grpc.Core;
using Microsoft.Extensions.Hosting;

namespace Cluster.Gateway.ModelMesh;

/// <summary><c>watchModels</c>: the present state, then each change.</summary>
internal sealed class RegistryWatch(
    ManagedModels models, ManagedAliases managedAliases, IServingStates states, IAliases aliases, IHostApplicationLifetime lifetime)
{
    public ValueTask RunAsync(ServerCallContext call, WatchModelsRequest request, IServerStreamWriter<WatchModelsResponse> events) =>
        ServerStop.EndWithAsync(call, cancellation => FollowAsync(Caller.Of(call.GetHttpContext()), request, events, cancellation), lifetime.ApplicationStopping);

    private async ValueTask FollowAsync(Caller caller, WatchModelsRequest request, IServerStreamWriter<WatchModelsResponse> events, CancellationToken cancellation)
    {
        // Before the first look, so that nothing falls between.
        using var changes = new RegistryChanges(states, aliases);
        var known = new HashSet<(string Name, bool IsAlias)>();
        foreach (var model in (await models.ListAsync().ConfigureAwait(false)).Where(model => caller.May(Permission.Read, model.ModelId)))
        {
            known.Add((model.ModelId, false));
            if (!request.ChangesOnly)
            {
                await events.WriteAsync(new WatchModelsResponse { Model = model }, cancellation).ConfigureAwait(false);
            }
        }

        foreach (var alias in managedAliases.List().Where(alias => caller.MaySee(alias.Alias, alias.Active)))
        {
            known.Add((alias.Alias, true));
            if (!request.ChangesOnly && await managedAliases.FindAsync(alias.Alias).ConfigureAwait(false) is { } entry)
            {
                entry.Status = entry.Status.For(caller);
                await events.WriteAsync(new WatchModelsResponse { VModel = entry }, cancellation).ConfigureAwait(false);
            }
        }

        await events.WriteAsync(new WatchModelsResponse { InSync = true }, cancellation).ConfigureAwait(false);
        while (true)
        {
            foreach (var change in await changes.TakeAsync(cancellation).ConfigureAwait(false))
            {
                if (await DescribeAsync(change, known, caller).ConfigureAwait(false) is { } happened)
                {
                    await events.WriteAsync(happened, cancellation).ConfigureAwait(false);
                }
            }
        }
    }

    /// <summary>Null without a message: the client never knew the model that is gone, or may not see it.</summary>
    private async Task<WatchModelsResponse?> DescribeAsync((string Name, bool IsAlias) change, HashSet<(string Name, bool IsAlias)> known, Caller caller)
    {
        var now = change.IsAlias
            ? await managedAliases.FindAsync(change.Name).ConfigureAwait(false) is { } alias && caller.MaySee(alias.VModelId, alias.Status.ActiveModelId)
                ? new WatchModelsResponse { VModel = new VModelEntry { VModelId = alias.VModelId, Status = alias.Status.For(caller) } } : null
            : caller.May(Permission.Read, change.Name) && await models.FindAsync(change.Name).ConfigureAwait(false) is { } model ? new WatchModelsResponse { Model = model } : null;
        if (now is not null)
        {
            known.Add(change);
            return now;
        }

        if (!known.Remove(change))
        {
            return null;
        }

        return change.IsAlias ? new WatchModelsResponse { VModelRemoved = change.Name } : new WatchModelsResponse { ModelRemoved = change.Name };
    }
}

/// <summary>
/// Which models and aliases changed since they were last taken, for one watcher. However slowly that reads, each is held once, so that it costs no more
/// memory than there are names.
/// </summary>
internal sealed class RegistryChanges : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _any = new(0, 1);
    private readonly IServingStates _states;
    private readonly IAliases _aliases;
    private HashSet<(string Name, bool IsAlias)> _changed = [];

    public RegistryChanges(IServingStates states, IAliases aliases)
    {
        _states = states;
        _aliases = aliases;
        states.Changed += OnModel;
        aliases.Changed += OnAlias;
    }

    /// <summary>Waits for a change, and takes all that there are.</summary>
    public async ValueTask<IReadOnlyCollection<(string Name, bool IsAlias)>> TakeAsync(CancellationToken cancellationToken)
    {
        await _any.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            var taken = _changed;
            _changed = [];
            return taken;
        }
    }

    public void Dispose()
    {
        _states.Changed -= OnModel;
        _aliases.Changed -= OnAlias;

        // Not the semaphore: a change that is being announced may still release it, and without a wait handle it holds nothing.
    }

    private void OnModel(string name) => Add((name, false));

    private void OnAlias(string name) => Add((name, true));

    private void Add((string Name, bool IsAlias) change)
    {
        lock (_lock)
        {
            if (_changed.Add(change) && _changed.Count == 1)
            {
                _any.Release();
            }
        }
    }
}
