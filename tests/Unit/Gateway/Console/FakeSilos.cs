using System.Collections.Immutable;
using Cluster.Contracts.Nodes;

namespace Cluster.Unit.Gateway.Console;

/// <summary>Silos as the test says.</summary>
internal sealed class FakeSilos : IKnownSilos
{
    public ImmutableArray<NodeDescription> All { get; set; } = [];

    public static NodeDescription Node(SiloAddress silo, string status = "Active", bool draining = false) =>
        new() { Silo = silo.ToParsableString(), Name = $"silo{silo.Endpoint.Port}", Status = status, Draining = draining };
}
