namespace Cluster.Grains.Placement;

/// <summary>
/// The silos that could hold replicas, as this process knows them. Membership names the silos, and each publishes its own state. Safe from any thread.
/// </summary>
internal sealed class SiloView(IClusterMembershipService membership, ISiloStates states)
{
    /// <summary>Whether no other silo is active.</summary>
    public bool IsAlone => membership.CurrentSnapshot.ModelSilos().Count() <= 1;

    /// <summary>The active silo, if there is one alone.</summary>
    public SiloAddress? Only => membership.CurrentSnapshot.ModelSilos().Take(2).ToList() is [var only] ? only : null;

    /// <summary>Whether a silo is a member that can be called: it may be about to leave.</summary>
    public bool IsMember(SiloAddress silo) => membership.CurrentSnapshot.GetSiloStatus(silo) is SiloStatus.Active or SiloStatus.ShuttingDown;

    /// <summary>Whether a silo is known to be dead.</summary>
    public bool IsDead(SiloAddress silo) => membership.CurrentSnapshot.GetSiloStatus(silo) == SiloStatus.Dead;

    /// <summary>
    /// Silos that are active and have told of themselves; all that are active, with nothing known of their size, while none has. Draining ones are among them.
    /// </summary>
    public IReadOnlyList<SiloState> Active()
    {
        List<SiloAddress> active = [.. membership.CurrentSnapshot.ModelSilos().Order()];
        List<SiloState> known = [.. states.All.Where(state => active.Contains(state.Silo))];
        return known.Count > 0 ? known : [.. active.Select(static silo => new SiloState { Silo = silo, Capacity = long.MaxValue })];
    }

    /// <summary>Whether a silo is not known to be about to leave, nor to have another model repository than the others.</summary>
    public bool IsSound(SiloAddress silo) => !states.TryGet(silo, out var state) || state is { Draining: false, Disagrees: false };

    /// <summary>Whether a silo has published its state, and lacks one of these labels.</summary>
    public bool LacksLabel(SiloAddress silo, IEnumerable<string> required) => states.TryGet(silo, out var state) && !required.All(state.Labels.Contains);

    /// <summary>How many silos could take such a replica.</summary>
    public int CountEligible(PlacementRequest request) => Active().Count(silo => PlacementPolicy.IsEligible(silo, request));

    /// <summary>Whether one of the silos that could take it has room for it now.</summary>
    public bool HasRoom(PlacementRequest request) => Active().Any(silo => silo.Free >= request.Bytes && PlacementPolicy.IsEligible(silo, request));

    /// <summary>Free share of the capacity of all active silos, 0 to 1.</summary>
    public double FreeShare()
    {
        var all = Active();
        var capacity = all.Sum(static silo => (double)silo.Capacity);
        return capacity > 0 ? all.Sum(static silo => (double)silo.Free) / capacity : 0;
    }

    /// <summary>Since the longest unused replica of all active silos was used; null where none is known.</summary>
    public TimeSpan? OldestIdle() => Active().Max(static silo => silo.OldestIdle);
}
