using System.Collections.Concurrent;
using Cluster.Unit.Runtime;

namespace Cluster.Unit.Serving;

/// <summary>Gives out fakes by key, always the same one.</summary>
internal sealed class FakeGrains : FakeGrainFactory
{
    private readonly ConcurrentDictionary<string, FakeCopy> _copies = new();
    private readonly ConcurrentDictionary<string, FakeModel> _models = new();

    public FakeCopy Copy(string key) => _copies.GetOrAdd(key, _ => new FakeCopy());

    public FakeModel Model(string key) => _models.GetOrAdd(key, _ => new FakeModel());

    public override TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null) =>
        (TGrainInterface)(IGrainWithStringKey)(typeof(TGrainInterface).IsAssignableFrom(typeof(FakeModel)) ? Model(primaryKey) : Copy(primaryKey));
}
