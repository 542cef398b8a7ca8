using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Registry;

/// <summary>The serving states of a cluster that is one process.</summary>
public sealed class InMemoryServingStates : IServingStates
{
    private readonly ConcurrentDictionary<string, ModelServingState> _states = new(StringComparer.Ordinal);
    private volatile bool _initialLoadFinished;

    /// <inheritdoc/>
    public event Action<string>? Changed;

    /// <inheritdoc/>
    public event Action? InitialLoadCompleted;

    /// <inheritdoc/>
    public IEnumerable<ModelServingState> All => _states.Values;

    /// <inheritdoc/>
    public bool InitialLoadFinished => _initialLoadFinished;

    /// <inheritdoc/>
    public bool TryGet(string name, [NotNullWhen(true)] out ModelServingState? state) => _states.TryGetValue(name, out state);

    /// <inheritdoc/>
    public ValueTask RefreshAsync(string name, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask WhenSentAsync(string name, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public void Publish(ModelServingState state)
    {
        if (state.Versions.IsEmpty && state.Problem is null)
        {
            _states.TryRemove(state.Name, out _);
        }
        else
        {
            _states[state.Name] = state;
        }

        Changed?.Invoke(state.Name);
    }

    /// <inheritdoc/>
    public void FinishInitialLoad()
    {
        _initialLoadFinished = true;
        InitialLoadCompleted?.Invoke();
    }
}
