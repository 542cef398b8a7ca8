namespace Cluster.Unit.Runtime;

/// <summary>What fakes of a grain factory have in common: a grain is got by its interface and key.</summary>
internal abstract class FakeGrainFactory : IGrainFactory
{
    public abstract TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey;

    public TGrainInterface GetGrain<TGrainInterface>(GrainId grainId)
        where TGrainInterface : IAddressable => throw new NotSupportedException();

    protected static PlacementTarget TargetOf(GrainId grain) => new(grain);
}
