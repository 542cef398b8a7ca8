namespace Cluster.Runtime;

/// <summary>The directory of a cluster of one silo, or of several in one process.</summary>
internal sealed class InMemoryGrainDirectory(IClusterMembershipService membership) : IGrainDirectory
{
    private readonly Lock _lock = new();
    private readonly Dictionary<GrainId, GrainAddress> _entries = [];
    private long _epoch;

    public Task<GrainAddress?> Register(GrainAddress address) => Register(address, null);

    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress)
    {
        lock (_lock)
        {
            var current = _entries.GetValueOrDefault(address.GrainId);
            if (!address.Matches(current) && DirectoryDecisions.MayRegister(current, previousAddress, IsDead))
            {
                _epoch = DirectoryDecisions.NextEpoch(_epoch, membership.CurrentSnapshot.Version.Value);
                _entries[address.GrainId] = current = address with { LoadEpoch = _epoch };
            }

            return Task.FromResult(current);
        }
    }

    public Task Unregister(GrainAddress address)
    {
        lock (_lock)
        {
            if (DirectoryDecisions.MayUnregister(_entries.GetValueOrDefault(address.GrainId), address))
            {
                _entries.Remove(address.GrainId);
            }
        }

        return Task.CompletedTask;
    }

    public Task<GrainAddress?> Lookup(GrainId grainId)
    {
        lock (_lock)
        {
            var current = _entries.GetValueOrDefault(grainId);
            return Task.FromResult(current is not null && DirectoryDecisions.IsValid(current, IsDead) ? current : null);
        }
    }

    public Task UnregisterSilos(List<SiloAddress> siloAddresses)
    {
        lock (_lock)
        {
            foreach (var (grain, _) in _entries.Where(entry => siloAddresses.Contains(entry.Value.SiloAddress!)).ToArray())
            {
                _entries.Remove(grain);
            }
        }

        return Task.CompletedTask;
    }

    private bool IsDead(SiloAddress silo) => membership.CurrentSnapshot.GetSiloStatus(silo) == SiloStatus.Dead;
}
