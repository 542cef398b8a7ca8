using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Runtime;

/// <summary>What the runtime knows of a grain class: read once, so that no call looks at attributes.</summary>
internal sealed class GrainClass
{
    private readonly ObjectFactory _construct;
    private readonly PersistentStateParameter[] _states;

    public GrainClass(Type type, TimeSpan defaultCollectionAge)
    {
        Type = type;
        GrainType = GrainType.Create(GrainNames.OfClass(type));
        IsReentrant = type.IsDefined(typeof(ReentrantAttribute), inherit: true);
        Placement = type.GetCustomAttribute<PlacementAttribute>(inherit: true)?.PlacementStrategy ?? new RandomPlacement();
        CollectionAge = type.IsDefined(typeof(KeepAliveAttribute), inherit: true)
            ? Timeout.InfiniteTimeSpan
            : type.GetCustomAttribute<CollectionAgeLimitAttribute>(inherit: true)?.Amount ?? defaultCollectionAge;
        _states = PersistentStateParameter.Of(type);
        _construct = ActivatorUtilities.CreateFactory(type, [.. _states.Select(static state => state.Type)]);
    }

    public Type Type { get; }

    public GrainType GrainType { get; }

    public bool IsReentrant { get; }

    public PlacementStrategy Placement { get; }

    /// <summary><see cref="Timeout.InfiniteTimeSpan"/>: never collected.</summary>
    public TimeSpan CollectionAge { get; }

    public IStorage[] CreateStates(Activation activation) => [.. _states.Select(state => state.Create(activation))];

    public IGrainBase CreateInstance(IServiceProvider services, IStorage[] states) => (IGrainBase)_construct(services, states);
}
