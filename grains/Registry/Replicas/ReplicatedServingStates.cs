using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Serving;
using Cluster.Grains.Replication;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Registry.Replicas;

/// <summary>The serving states of a cluster of several processes. That the initial load has finished is an entry of the same map.</summary>
internal sealed class ReplicatedServingStates : IServingStates
{
    /// <summary>No model is called so: a name has no slash.</summary>
    private const string InitialLoadKey = "/initial-load";

    private readonly JsonReplica<ModelServingState> _states;
    private int _finished;

    public ReplicatedServingStates(IReplicatedMap map, ILogger<ReplicatedServingStates> logger)
    {
        _states = new JsonReplica<ModelServingState>(map, logger);
        map.Changed += Notice;
        NoticeInitialLoad();
    }

    public event Action<string>? Changed;

    public event Action? InitialLoadCompleted;

    public IEnumerable<ModelServingState> All => _states.All.Where(static state => state.Name != InitialLoadKey);

    public bool InitialLoadFinished => Volatile.Read(ref _finished) == 1;

    public bool TryGet(string name, [NotNullWhen(true)] out ModelServingState? state)
    {
        if (_states.TryGet(name, out state) && state.Name != InitialLoadKey)
        {
            return true;
        }

        state = null;
        return false;
    }

    public ValueTask RefreshAsync(string name, CancellationToken cancellationToken) => _states.RefreshAsync(name, cancellationToken);

    public ValueTask WhenSentAsync(string name, CancellationToken cancellationToken) => _states.Map.WhenSentAsync(name, cancellationToken);

    public void Publish(ModelServingState state)
    {
        if (state.Versions.IsEmpty && state.Problem is null)
        {
            _states.Remove(state.Name);
        }
        else
        {
            _states.Publish(state.Name, state);
        }
    }

    public void FinishInitialLoad()
    {
        if (!_states.Map.TryGet(InitialLoadKey, out _))
        {
            _states.Publish(InitialLoadKey, new ModelServingState(InitialLoadKey, [], null));
        }

        NoticeInitialLoad();
    }

    private void Notice(string key)
    {
        if (key == InitialLoadKey)
        {
            NoticeInitialLoad();
        }
        else
        {
            Changed?.Invoke(key);
        }
    }

    private void NoticeInitialLoad()
    {
        if (_states.Map.TryGet(InitialLoadKey, out _) && Interlocked.Exchange(ref _finished, 1) == 0)
        {
            InitialLoadCompleted?.Invoke();
        }
    }
}
