namespace Cluster.Unit.Runtime.Messaging;

/// <summary>A directory whose lookups are counted, and that can be out of reach.</summary>
internal sealed class WatchedDirectory(IGrainDirectory inner) : IGrainDirectory
{
    private int _lookups;

    public int Lookups => _lookups;

    public bool IsAway { get; set; }

    public Task<GrainAddress?> Register(GrainAddress address) => IsAway ? throw Away() : inner.Register(address);

    public Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress) =>
        IsAway ? throw Away() : inner.Register(address, previousAddress);

    public Task Unregister(GrainAddress address) => inner.Unregister(address);

    public Task<GrainAddress?> Lookup(GrainId grainId)
    {
        Interlocked.Increment(ref _lookups);
        return IsAway ? throw Away() : inner.Lookup(grainId);
    }

    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => inner.UnregisterSilos(siloAddresses);

    private static SiloUnavailableException Away() => new("the directory is away");
}
