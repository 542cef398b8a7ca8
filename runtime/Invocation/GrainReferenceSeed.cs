namespace Cluster.Runtime.CodeGeneration;

/// <summary>What a generated proxy passes to its base: made by the runtime alone.</summary>
#pragma warning disable CA1815 // Nobody compares seeds.
public readonly struct GrainReferenceSeed
#pragma warning restore CA1815
{
    internal GrainReferenceSeed(ActorRuntime runtime, GrainId grainId)
    {
        Runtime = runtime;
        GrainId = grainId;
    }

    internal ActorRuntime Runtime { get; }

    internal GrainId GrainId { get; }
}
