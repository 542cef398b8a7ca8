using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Registry;

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
