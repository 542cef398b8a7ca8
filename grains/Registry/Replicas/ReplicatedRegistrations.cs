using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Models;
using Cluster.Grains.Replication;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Registry.Replicas;

/// <summary>The registrations of a cluster of several processes.</summary>
internal sealed class ReplicatedRegistrations(IReplicatedMap map, ILogger<ReplicatedRegistrations> logger) : IRegistrations
{
    private readonly JsonReplica<ModelRegistration> _registrations = new(map, logger);

    public IEnumerable<ModelRegistration> All => _registrations.All;

    public bool TryGet(string model, [NotNullWhen(true)] out ModelRegistration? registration) => _registrations.TryGet(model, out registration);

    public ValueTask RefreshAsync(string model, CancellationToken cancellationToken) => _registrations.RefreshAsync(model, cancellationToken);

    public void Publish(ModelRegistration registration) => _registrations.Publish(registration.Name, registration);

    public void Remove(string model) => _registrations.Remove(model);
}
