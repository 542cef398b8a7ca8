using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
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

/// <summary>The registrations of a cluster that is one process.</summary>
public sealed class InMemoryRegistrations : IRegistrations
{
    private readonly ConcurrentDictionary<string, ModelRegistration> _registrations = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public bool TryGet(string model, [NotNullWhen(true)] out ModelRegistration? registration) => _registrations.TryGetValue(model, out registration);

    /// <inheritdoc/>
    public IEnumerable<ModelRegistration> All => _registrations.Values;

    /// <inheritdoc/>
    public ValueTask RefreshAsync(string model, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public void Publish(ModelRegistration registration) => _registrations[registration.Name] = registration;

    /// <inheritdoc/>
    public void Remove(string model) => _registrations.TryRemove(model, out _);
}

/// <summary>The aliases of a cluster that is one process.</summary>
public sealed class InMemoryAliases : IAliases
{
    private readonly ConcurrentDictionary<string, AliasState> _aliases = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public event Action<string>? Changed;

    /// <inheritdoc/>
    public IEnumerable<AliasState> All => _aliases.Values;

    /// <inheritdoc/>
    public bool TryGet(string alias, [NotNullWhen(true)] out AliasState? state) => _aliases.TryGetValue(alias, out state);

    /// <inheritdoc/>
    public void Publish(AliasState state)
    {
        _aliases[state.Alias] = state;
        Changed?.Invoke(state.Alias);
    }

    /// <inheritdoc/>
    public void Remove(string alias)
    {
        if (_aliases.TryRemove(alias, out _))
        {
            Changed?.Invoke(alias);
        }
    }
}
