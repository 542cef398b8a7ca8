namespace Cluster.Runtime;

/// <summary>What grains and references to grains can tell of themselves.</summary>
public static class GrainExtensions
{
    /// <summary>The identity of a grain, from the grain itself or from a reference.</summary>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public static GrainId GetGrainId(this IAddressable grain) => grain switch
    {
        GrainReference reference => reference.GrainId,
        IGrainBase { GrainContext: { } context } => context.GrainId,
        _ => throw new ArgumentException($"{grain.GetType()} is neither a grain reference nor an activated grain", nameof(grain)),
    };

    /// <summary>The key of a grain, from the grain itself or from a reference.</summary>
    public static string GetPrimaryKeyString(this IAddressable grain) => grain.GetGrainId().Key.ToString();

    /// <summary>A reference to the grain, to hand to others in place of the object itself.</summary>
    public static TGrainInterface AsReference<TGrainInterface>(this IAddressable grain)
        where TGrainInterface : IAddressable => grain switch
        {
            GrainReference reference => reference.Runtime.GetGrain<TGrainInterface>(reference.GrainId),
            IGrainBase { GrainContext: { } context } => context.GrainReference.Runtime.GetGrain<TGrainInterface>(context.GrainId),
            _ => throw new ArgumentException($"{grain.GetType()} is neither a grain reference nor an activated grain", nameof(grain)),
        };
}
