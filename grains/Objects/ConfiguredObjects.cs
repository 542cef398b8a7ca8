using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Settings;

namespace Cluster.Grains.Objects;

/// <summary>
/// A model of the configuration file that lies in object storage. <see cref="RefreshAsync"/> lists it, and scans report the last listing. Safe from any thread.
/// </summary>
internal sealed class ConfiguredObjects(string model, ObjectAddress address, RegisteredObjects store, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly ObjectModel _model = new(model, address, clock, ModelDefinition.Default);
    private Task _refreshing = Task.CompletedTask;
    private volatile Listed _last = new([], "it was not listed yet");

    /// <summary>Asks the store. Where that fails, the last listing stays, with the reason.</summary>
    public Task RefreshAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _refreshing = RefreshAfterAsync(_refreshing, cancellationToken);
        }
    }

    /// <summary>The versions, and the problem of the model as a whole, or null.</summary>
    public (ImmutableArray<ModelVersionSource> Versions, string? Problem) Read()
    {
        var last = _last;
        return (last.Versions, last.Away is { } away ? $"'{address}' cannot be read: {away}" : last.Problem);
    }

    /// <summary>One after the other.</summary>
    private async Task RefreshAfterAsync(Task before, CancellationToken cancellationToken)
    {
        await before.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            var found = await store.ListAsync(_model, address, cancellationToken).ConfigureAwait(false);
            _last = new Listed(found.Versions, null) { Problem = found.Problem };
        }
        catch (ObjectStoreException exception)
        {
            _last = _last with { Away = exception.Message };
        }
    }

    private sealed record Listed(ImmutableArray<ModelVersionSource> Versions, string? Away)
    {
        public string? Problem { get; init; }
    }
}
