using System.Collections.Concurrent;

namespace Cluster.Runtime;

/// <summary>The directory of a cluster of one silo.</summary>
internal sealed class InMemoryGrainDirectory : IGrainDirectory
{
    private readonly ConcurrentDictionary<GrainId, GrainAddress> _entries = new();

    public Task<GrainAddress?> Register(GrainAddress address) => Register(address, null);

    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress)
    {
        var registered = _entries.AddOrUpdate(
            address.GrainId,
            static (_, argument) => argument.Address,
            static (_, current, argument) => current.Matches(argument.Previous) ? argument.Address : current,
            (Address: address, Previous: previousAddress));
        return Task.FromResult<GrainAddress?>(registered);
    }

    public Task Unregister(GrainAddress address)
    {
        if (_entries.TryGetValue(address.GrainId, out var current) && current.Matches(address))
        {
            _entries.TryRemove(KeyValuePair.Create(address.GrainId, current));
        }

        return Task.CompletedTask;
    }

    public Task<GrainAddress?> Lookup(GrainId grainId) => Task.FromResult(_entries.GetValueOrDefault(grainId));

    public Task UnregisterSilos(List<SiloAddress> siloAddresses)
    {
        foreach (var entry in _entries)
        {
            if (entry.Value.SiloAddress is { } silo && siloAddresses.Contains(silo))
            {
                _entries.TryRemove(entry);
            }
        }

        return Task.CompletedTask;
    }
}
