using Cluster.Contracts.Serving;

namespace Cluster.Unit.Serving;

/// <summary>Silos that are as the test says; those of which it says nothing can be reached.</summary>
internal sealed class FakeHealth : ISiloHealth
{
    public event Action? Changed;

    public bool IsAlone { get; set; }

    public bool IsStoreReachable { get; set; } = true;

    public IEnumerable<SiloAddress> Silos { get; set; } = [];

    public HashSet<SiloAddress> Unreachable { get; } = [];

    public HashSet<SiloAddress> Gone { get; } = [];

    public bool IsReachable(SiloAddress silo) => !Unreachable.Contains(silo);

    public bool IsGone(SiloAddress silo) => Gone.Contains(silo);

    public void Change() => Changed?.Invoke();
}
