using System.Diagnostics.CodeAnalysis;
using Cluster.Grains.Placement;
using Cluster.Grains.Replication;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Registry.Replicas;

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
