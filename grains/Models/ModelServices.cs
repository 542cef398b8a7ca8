using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Placement;
using Cluster.Grains.Scaling;

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
