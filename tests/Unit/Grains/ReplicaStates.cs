using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Models;
using Cluster.Unit.Clustering;

namespace Cluster.Unit.Grains;

/// <summary>What a grain of model <c>m</c> knows of replicas of version 1.</summary>
internal static class ReplicaStates
{
    /// <summary>Of a model with nothing special.</summary>
    public static ModelDescription Description { get; } = new()
    {
        Name = "m",
        Version = 1,
        Inputs = [],
        Outputs = [],
        ExecutionProvider = ExecutionProvider.Cpu,
        Concurrency = 1,
        IntraOpThreads = 1,
        QueueLimit = 1,
        VersionPolicy = VersionPolicy.LatestOne,
        FileName = "model.onnx",
        Labels = ImmutableSortedDictionary<string, string>.Empty,
        Properties = ImmutableSortedDictionary<string, string>.Empty,
    };

    /// <summary>Replicas that serve, of content <c>r</c> with settings <c>s</c>.</summary>
    public static ModelGrainState Serving(params int[] numbers) => new()
    {
        Loaded = ImmutableSortedDictionary<long, LoadedVersion>.Empty.Add(1, new LoadedVersion([.. numbers.Select(number => At(number))], "r", "s")),
        NextReplica = ImmutableSortedDictionary<long, int>.Empty.Add(1, numbers.DefaultIfEmpty(-1).Max() + 1),
    };

    /// <summary>A replica on the silo with the number.</summary>
    public static PlacedReplica At(int number, int silo = 1) => new(number, Silos.At(silo));
}
