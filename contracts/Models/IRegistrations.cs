using System.Diagnostics.CodeAnalysis;

namespace Cluster.Contracts.Models;

/// <summary>This process's replica of the registrations that replicas are loaded by. Safe from any thread.</summary>
public interface IRegistrations
{
    bool TryGet(string model, [NotNullWhen(true)] out ModelRegistration? registration);

    /// <summary>Every known registration, in no order.</summary>
    IEnumerable<ModelRegistration> All { get; }

    /// <inheritdoc cref="Serving.IServingStates.RefreshAsync"/>
    ValueTask RefreshAsync(string model, CancellationToken cancellationToken);

    /// <summary>Replaces a model's registration.</summary>
    void Publish(ModelRegistration registration);

    /// <summary>Forgets a model.</summary>
    void Remove(string model);
}
