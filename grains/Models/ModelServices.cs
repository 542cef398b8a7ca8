using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Placement;
using Cluster.Grains.Scaling;
using Cluster.Grains.Sessions.Loading;
using Cluster.Grains.Workers;

namespace Cluster.Grains.Models;

/// <summary>What a model's grain needs of its process.</summary>
internal sealed record ModelServices(
    IRegistrations Registrations,
    IServingStates States,
    SiloView Silos,
    PlacementRequests Requests,
    ReplicaPlacer Placer,
    ReplicaCache Cache,
    ModelCacheOptions CacheOptions,
    ReplicaOptions ReplicaOptions,
    ScalingOptions ScalingOptions,
    LoadMetrics LoadMetrics,
    ModelMetrics Metrics,
    IGrainFactory Grains,
    PlacementRandom Random,
    TimeProvider Time);

/// <summary>What a replica's grain needs of its silo.</summary>
internal sealed record ReplicaServices(
    ReplicaCache Cache,
    LocalReplicas Local,
    SessionFactory Sessions,
    InferenceWorkers Workers,
    InferenceOptions Options,
    ReplicaMetricsFactory Metrics,
    LoadMetrics LoadMetrics,
    TimeProvider Time);
