using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Orleans.Metadata;

namespace Cluster.Unit.Hosting;

/// <summary>Every activation that a silo makes.</summary>
internal sealed class SeenActivations : IConfigureGrainContextProvider, IConfigureGrainContext
{
    private readonly ConcurrentBag<IGrainContext> _seen = [];

    public IReadOnlyList<Task> EndsOf<T>() =>
        [.. _seen.Where(activation => activation.GrainInstance is T && !activation.Deactivated.IsCompleted).Select(activation => activation.Deactivated)];

    public void Configure(IGrainContext context) => _seen.Add(context);

    public bool TryGetConfigurator(GrainType grainType, GrainProperties properties, [NotNullWhen(true)] out IConfigureGrainContext? configurator)
    {
        configurator = this;
        return true;
    }
}
