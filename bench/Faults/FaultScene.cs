using Cluster.Tests.Common;

namespace Cluster.Bench.Faults;

/// <summary>Where a fault happens.</summary>
/// <param name="Victim">The silo that loads, or else the one with the most replicas.</param>
/// <param name="Other">Another silo.</param>
internal sealed record FaultScene(TestCluster Cluster, ClusterProcess Victim, ClusterProcess Other)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Cuts or joins two processes.</summary>
    public void Between(ClusterProcess one, ClusterProcess other, bool cut) => Between(AddressOf(one), AddressOf(other), cut);

    /// <summary>Cuts or joins the victim and everything else, Redis included.</summary>
    public void VictimAndAll(bool cut)
    {
        foreach (var other in Cluster.Silos.Concat(Cluster.Gateways).Where(process => process != Victim))
        {
            Between(Victim, other, cut);
        }

        Between(AddressOf(Victim), Cluster.Network!.HostAddress, cut);
    }

    /// <summary>Waits until a victim that stops has ended, and starts it again.</summary>
    public async Task ReplaceVictimAsync()
    {
        await Victim.WaitForExitAsync(Patience);
        await Victim.StartAsync();
    }

    /// <summary>The silos that the fault is about, in words; null where all or none are.</summary>
    public string? Describe(FaultTarget hits) => hits switch
    {
        FaultTarget.Victim => $"hits {Victim.Name}",
        FaultTarget.VictimAndOther => $"hits {Victim.Name} and {Other.Name}",
        _ => null,
    };

    public Task ForAllSilosAsync(Func<ClusterProcess, Task> act) => Task.WhenAll(Cluster.Silos.Select(act));

    private static string AddressOf(ClusterProcess process) => new Uri(process.HttpUrl).Host;

    private void Between(string one, string other, bool cut)
    {
        if (cut)
        {
            Cluster.Network!.Cut(one, other);
        }
        else
        {
            Cluster.Network!.Heal(one, other);
        }
    }
}
