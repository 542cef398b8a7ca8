using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Grains.Placement;
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

/// <summary>The aliases of a cluster of several processes.</summary>
internal sealed class ReplicatedAliases(IReplicatedMap map, ILogger<ReplicatedAliases> logger) : IAliases
{
    private readonly JsonReplica<AliasState> _aliases = new(map, logger);

    public event Action<string>? Changed
    {
        add => _aliases.Map.Changed += value;
        remove => _aliases.Map.Changed -= value;
    }

    public IEnumerable<AliasState> All => _aliases.All;

    public bool TryGet(string alias, [NotNullWhen(true)] out AliasState? state) => _aliases.TryGet(alias, out state);

    public void Publish(AliasState state) => _aliases.Publish(state.Alias, state);

    public void Remove(string alias) => _aliases.Remove(alias);
}

/// <summary>The states of the silos of a cluster of several processes; of those that the membership has, the dead excepted.</summary>
internal sealed class ReplicatedSiloStates(IReplicatedMap map, IClusterMembershipService membership, ILogger<ReplicatedSiloStates> logger) : ISiloStates
{
    private readonly JsonReplica<SiloState> _states = new(map, logger);

    public IEnumerable<SiloState> All => _states.All.Where(state => Lives(state.Silo));

    public bool TryGet(SiloAddress silo, [NotNullWhen(true)] out SiloState? state)
    {
        state = null;
        return Lives(silo) && _states.TryGet(silo.ToParsableString(), out state);
    }

    public void Publish(SiloState state) => _states.Publish(state.Silo.ToParsableString(), state);

    public void Remove(SiloAddress silo) => _states.Remove(silo.ToParsableString());

    /// <inheritdoc/>
    public void RemoveDead()
    {
        var snapshot = membership.CurrentSnapshot;
        foreach (var state in _states.All.Where(state => snapshot.GetSiloStatus(state.Silo) == SiloStatus.Dead).ToArray())
        {
            Remove(state.Silo);
        }
    }

    private bool Lives(SiloAddress silo) => membership.CurrentSnapshot.GetSiloStatus(silo) is not (SiloStatus.Dead or SiloStatus.None);
}
