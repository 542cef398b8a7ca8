using Cluster.Contracts.Models;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Serving;
using Cluster.Gateway.Traffic;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cluster.Unit.Serving;

/// <summary>The routing of a gateway over fake grains.</summary>
internal sealed class Routing : IDisposable
{
    private readonly MetricsHost _metrics = new();

    public Routing(FakeHealth? health = null, ILocalReplicas? local = null)
    {
        Health = health ?? new FakeHealth { IsAlone = true };
        Routes = new RouteTable(States, Grains, local);
        Changes = new RouteChanges(States, Health, Time);
        Control = new ControlCalls(Changes, Health, Time);
        Cluster = new ClusterCalls(Grains, Control, Health, Time);
        var trafficMetrics = new TrafficMetrics(_metrics.Registry);
        Traffic = new TrafficTable(Aliases, new TrafficChance(new Random(2)), trafficMetrics, Time);
        Names = new ModelNames(Routes, Aliases, Traffic, Grains, Control);
        Chooser = new ReplicaChooser(Health, new Random(1));
        Loads = new ReplicaLoads(Grains, Control);
        Suspects = new Suspects(Grains, Control, Time, NullLogger<Suspects>.Instance);
        Dispatcher = new InferenceDispatcher(Routes, Names, Chooser, Loads, Suspects, Changes, Health, new RoutingMetrics(_metrics.Registry), Time);
        Rollbacks = new Rollbacks(Grains, Control, "here", Time, NullLogger<Rollbacks>.Instance);
        Mirrors = new Mirrors(Dispatcher, Rollbacks, MirrorOptions, Time, NullLogger<Mirrors>.Instance);
        Router = new TrafficRouter(Dispatcher, Mirrors, Rollbacks, Time);
        Rules = new ManagedTraffic(Grains, Aliases, Traffic, Rollbacks, Control);
    }

    public InMemoryServingStates States { get; } = new();

    public InMemoryAliases Aliases { get; } = new();

    public FakeGrains Grains { get; } = new();

    public TrafficOptions MirrorOptions { get; } = new() { MaxMirrors = 4, MaxMirrorMiB = 1 };

    public TrafficTable Traffic { get; }

    public Rollbacks Rollbacks { get; }

    public Mirrors Mirrors { get; }

    public TrafficRouter Router { get; }

    public ManagedTraffic Rules { get; }

    public ManualTimeProvider Time { get; } = new();

    public FakeHealth Health { get; }

    public RouteTable Routes { get; }

    public RouteChanges Changes { get; }

    public ControlCalls Control { get; }

    public ModelNames Names { get; }

    public ClusterCalls Cluster { get; }

    public ReplicaChooser Chooser { get; }

    public ReplicaLoads Loads { get; }

    public Suspects Suspects { get; }

    public InferenceDispatcher Dispatcher { get; }

    public Task<Exposition> ScrapeAsync() => _metrics.ScrapeAsync();

    public void Dispose()
    {
        Mirrors.Dispose();
        Rollbacks.Dispose();
        Traffic.Dispose();
        Changes.Dispose();
        Routes.Dispose();
        _metrics.Dispose();
    }
}
