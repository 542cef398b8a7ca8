using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;
using Cluster.Grains.Workers;

namespace Cluster.Grains.Models;

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
