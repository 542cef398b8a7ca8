using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.ModelMesh;

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
