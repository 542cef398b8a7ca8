using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Registry;

namespace Cluster.Contracts;

/// <summary>
/// References to the grains of the cluster by their grain types. A gateway hosts none of them, and may make references before it has heard of a silo. Orleans finds the type of an interface only among those that some silo hosts.
/// </summary>
public static class ClusterGrains
{
    /// <summary>The grain type of <see cref="IModelGrain"/>.</summary>
    public const string ModelType = "model";

    /// <summary>The grain type of <see cref="IModelReplicaGrain"/>.</summary>
    public const string ReplicaType = "replica";

    /// <summary>The grain type of <see cref="IRegistryGrain"/>.</summary>
    public const string RegistryType = "registry";

    /// <summary>The grain type of <see cref="IAliasGrain"/>.</summary>
    public const string AliasType = "alias";

    /// <summary>The grain type of <see cref="IClusterGrain"/>.</summary>
    public const string ClusterType = "cluster-view";

    /// <summary>The grain type of <see cref="IClusterGrain"/> in former versions: first with one key for the whole cluster, then with that of each silo.</summary>
    public const string FormerClusterType = "cluster";

    public static IModelGrain GetModel(this IGrainFactory grains, string name) => grains.GetGrain<IModelGrain>(GrainId.Create(ModelType, name));

    public static IModelReplicaGrain GetReplica(this IGrainFactory grains, ModelReplicaId id) => grains.GetGrain<IModelReplicaGrain>(GrainId.Create(ReplicaType, id.ToString()));

    public static IRegistryGrain GetRegistry(this IGrainFactory grains, string shard) => grains.GetGrain<IRegistryGrain>(GrainId.Create(RegistryType, shard));

    public static IAliasGrain GetAlias(this IGrainFactory grains, string alias) => grains.GetGrain<IAliasGrain>(GrainId.Create(AliasType, alias));

    public static IClusterGrain GetCluster(this IGrainFactory grains, SiloAddress silo) => grains.GetGrain<IClusterGrain>(GrainId.Create(ClusterType, silo.ToParsableString()));

    /// <summary>That of former versions. Which key it has does not matter to the first of them, and the key of a silo is what the last expects.</summary>
    public static IClusterGrain GetFormerCluster(this IGrainFactory grains, SiloAddress silo) =>
        grains.GetGrain<IClusterGrain>(GrainId.Create(FormerClusterType, silo.ToParsableString()));
}
