using System.Collections.Concurrent;
using Orleans.Runtime.GrainDirectory;

namespace Cluster.Silo.Clustering;

/// <summary>
/// Where grains are, as far as this silo has asked. Orleans' own forgets after a time, and until then sends calls for a grain that has ended to the silo where it was, which
/// activates it again without asking where it should be. This one forgets when it is told that the grain has ended (<see cref="DirectoryNews"/>), and so also goes on
/// while Redis is away.
/// </summary>
internal sealed class DirectoryCache : IGrainDirectoryCache
{
    private readonly ConcurrentDictionary<GrainId, (GrainAddress Address, int Version)> _entries = new();

    public IEnumerable<(GrainAddress ActivationAddress, int Version)> KeyValues => _entries.Values;

    public void AddOrUpdate(GrainAddress value, int version) => _entries[value.GrainId] = (value, version);

    public bool Remove(GrainId key) => _entries.TryRemove(key, out _);

    public bool Remove(GrainAddress key) =>
        _entries.TryGetValue(key.GrainId, out var entry)
        && Equals(entry.Address.SiloAddress, key.SiloAddress)
        && _entries.TryRemove(KeyValuePair.Create(key.GrainId, entry));

    public void Clear() => _entries.Clear();

    public bool LookUp(GrainId key, out GrainAddress result, out int version)
    {
        var found = _entries.TryGetValue(key, out var entry);
        (result, version) = entry;
        return found;
    }
}
