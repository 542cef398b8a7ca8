using Cluster.Grains.Cache;
using Cluster.Grains.Cluster;
using Cluster.Grains.Placement;
using Cluster.Grains.Registry;
using Cluster.Grains.Replicas;
using Cluster.Grains.Scaling;
using Cluster.Grains.Workers;
using Cluster.Metrics;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Cluster.Unit.Grains;
using Cluster.Unit.Serving;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cluster.Unit.ClusterWork;

/// <summary>What a silo does for the cluster, with everything around it made up. This silo is A.</summary>
internal sealed class ClusterBench : IDisposable
{
    private readonly ServiceProvider _provider = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public ClusterBench(params SiloAddress[] silos)
    {
        foreach (var silo in silos)
        {
            Membership.Set(silo, SiloStatus.Active);
            SiloStates.Publish(new SiloState { Silo = silo, Capacity = 1000 });
        }

        Registry = ActivatorUtilities.CreateInstance<MetricRegistry>(_provider);
        Cache = new ReplicaCache(new ModelCacheOptions { Capacity = 1 << 30 }, new CacheMetrics(Registry), Time, NullLogger<ReplicaCache>.Instance);
        View = new SiloView(Membership, SiloStates);
        Metrics = new ClusterMetrics(Registry);
        Workers = new InferenceWorkers(new InferenceOptions(), Time);
    }

    public ManualTimeProvider Time { get; } = new();

    public FakeMembership Membership { get; } = new();

    public InMemorySiloStates SiloStates { get; } = new();

    public InMemoryServingStates States { get; } = new();

    public InMemoryRegistrations Registrations { get; } = new();

    public FakeGrains Grains { get; } = new();

    public LocalReplicas Replicas => field ??= new(Draining, Local);

    public ClusterWorkOptions Options { get; } = new();

    public FixedSiloDetails Local { get; } = new(Silos.A);

    public MetricRegistry Registry { get; }

    public ReplicaCache Cache { get; }

    public SiloView View { get; }

    public InferenceWorkers Workers { get; }

    public ClusterMetrics Metrics { get; }

    public SiloDraining Draining { get; } = new();

    /// <summary>Of the replica that was entered last; null before.</summary>
    public ReplicaQueue? Queue { get; set; }

    public ReplicaMoves Moves => new(Replicas, Local, Grains, Options, NullLogger<ReplicaMoves>.Instance);

    public SiloDrain Drain() => new(Replicas, Draining, Moves, View, Local, Options, Metrics, Time, NullLogger<SiloDrain>.Instance);

    public AskedDrain Asked() => new(Replicas, Draining, Moves, Time, NullLogger<AskedDrain>.Instance);

    public UtilizationReporter Reporter() => new(Replicas, States, Grains, Options, new ScalingOptions(), Time, NullLogger<UtilizationReporter>.Instance);

    public ClusterCaretaker Caretaker(ILogger<ClusterCaretaker>? logger = null) => new(
        Membership,
        States,
        Registrations,
        View,
        new PlacementRequests(Registrations, Cache),
        Grains,
        Options,
        Metrics,
        logger ?? NullLogger<ClusterCaretaker>.Instance);

    /// <summary>A version of a model that is published as being in memory at those silos, replica 0 at the first, or as on demand.</summary>
    public void Publish(string model, params SiloAddress[] silos) => Publish(model, lastUsed: null, silos);

    public void Publish(string model, DateTimeOffset? lastUsed, params SiloAddress[] silos)
    {
        var version = Serving.States.Placed(1, silos) with { OnDemand = silos.Length == 0, LastUsed = lastUsed };
        States.Publish(Serving.States.Model(model, version));
    }

    public void Dispose()
    {
        Workers.Dispose();
        _provider.Dispose();
    }
}
