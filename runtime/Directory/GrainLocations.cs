namespace Cluster.Runtime;

/// <summary>This silo's own table, what is cached of others, and what the transport knows of them.</summary>
internal sealed class GrainLocations(ActorRuntime runtime, IMessageTransport? transport = null) : IGrainLocations
{
    public SiloAddress? TryGetKnown(GrainId grainId) =>
        runtime.Catalog.Find(grainId) is not null ? runtime.Silo.SiloAddress : runtime.Locator.FindKnown(grainId);

    public bool IsReachable(SiloAddress silo) => silo == runtime.Silo.SiloAddress || transport is null || transport.IsReachable(silo);
}
