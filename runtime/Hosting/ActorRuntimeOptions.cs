using System.Net;
using System.Reflection;

namespace Cluster.Runtime;

/// <summary>The settings of the actor runtime.</summary>
public sealed class ActorRuntimeOptions
{
    private readonly HashSet<Assembly> _applicationParts = [];

    /// <summary>Silos with another cluster identity are strangers. Default "dev".</summary>
    public string ClusterId { get; set; } = "dev";

    /// <summary>The silo's name, for people. Null (default): host name and port.</summary>
    public string? SiloName { get; set; }

    /// <summary>Where other silos and clients reach this one. Default 127.0.0.1:11111; nothing listens there in a cluster of one.</summary>
    public IPEndPoint AdvertisedEndpoint { get; set; } = new(IPAddress.Loopback, 11111);

    /// <summary>
    /// How long a caller waits for an answer, unless the method says otherwise; infinite: as long as it takes. Default 30 s.
    /// Shorter gives up on slow grains, longer keeps callers of hung ones.
    /// </summary>
    public TimeSpan ResponseTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How often time-outs are looked for and the clock that measures idleness moves, which is how late a time-out can be.
    /// Default 100 ms. Shorter costs a pass over the pending calls more often.
    /// </summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a grain may be idle before it is deactivated, unless its class says otherwise; infinite: never. Default 15 min.
    /// Shorter frees memory sooner, longer saves activations.
    /// </summary>
    public TimeSpan CollectionAge { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How often idle grains are looked for. Default 1 min. Shorter costs a pass over all activations more often.</summary>
    public TimeSpan CollectionQuantum { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>When the token of <c>OnDeactivateAsync</c> is cancelled. Default 30 s. The activation ends when the method returns.</summary>
    public TimeSpan DeactivationTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The assemblies whose grain classes this silo hosts.</summary>
    public IReadOnlyCollection<Assembly> ApplicationParts => _applicationParts;

    /// <summary>Adds an assembly with grain classes. Assemblies with grain interfaces alone need not be added.</summary>
    public ActorRuntimeOptions AddApplicationPart(Assembly assembly)
    {
        _applicationParts.Add(assembly);
        return this;
    }
}
