using System.Collections.Concurrent;
using System.Reflection;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Registry;
using Cluster.Grains.Cluster;
using Cluster.Grains.Models;
using Cluster.Unit.Hosting;

namespace Cluster.Unit.Serving;

/// <summary>Gives out fakes by key, always the same one.</summary>
internal sealed class FakeGrains : FakeGrainFactory
{
    private readonly ConcurrentDictionary<string, FakeReplica> _replicas = new();
    private readonly ConcurrentDictionary<string, FakeModel> _models = new();
    private readonly ConcurrentDictionary<string, IModelWorkGrain> _work = new();

    /// <param name="key">With or without its silo, which is not told apart.</param>
    public FakeReplica Replica(string key) => _replicas.GetOrAdd(key.Split('@')[0], _ => new FakeReplica());

    public FakeModel Model(string key) => _models.GetOrAdd(key, _ => new FakeModel());

    /// <summary>How often a model was to look at what it should do.</summary>
    public int Looks(string model) => ((FakeModelWork)Work(model)).Looks;

    public override TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null) =>
        (TGrainInterface)Fake(typeof(TGrainInterface), primaryKey);

    public override TGrainInterface GetGrain<TGrainInterface>(GrainId grainId) => (TGrainInterface)(IAddressable)Fake(
        typeof(TGrainInterface), typeof(TGrainInterface) == typeof(IClusterGrain) ? grainId.ToString() : grainId.Key.ToString()!);

    /// <summary>The one alias that there is.</summary>
    public FakeAlias? Alias { get; set; }

    /// <summary>What the controller handed over.</summary>
    public FakeController Controller { get; } = new();

    /// <summary>What the silos say of the cluster, by the ids of their grains.</summary>
    public Dictionary<string, FakeCluster> Clusters { get; } = [];

    private IGrainWithStringKey Fake(Type type, string key) => type.Name switch
    {
        nameof(IAliasGrain) => Alias!,
        nameof(IClusterGrain) => Clusters[key],
        nameof(IControllerGrain) => Controller,
        nameof(IModelGrain) => Model(key),
        nameof(IModelWorkGrain) => Work(key),
        _ => Replica(key),
    };

    private IModelWorkGrain Work(string key) => _work.GetOrAdd(key, static _ => DispatchProxy.Create<IModelWorkGrain, FakeModelWork>());
}
