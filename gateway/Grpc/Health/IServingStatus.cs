using Microsoft.Extensions.Primitives;

namespace Cluster.Gateway.Grpc.Health;

/// <summary>What the health service tells. Called concurrently; must not block.</summary>
public interface IServingStatus
{
    /// <summary>Whether a service serves; null if there is no such service. The empty name stands for the whole server.</summary>
    bool? IsServing(string service);

    /// <summary>
    /// Fires at the next change of any service's status after this call. Taken before <see cref="IsServing"/> is asked, it misses no change.
    /// </summary>
    IChangeToken GetChangeToken();
}
