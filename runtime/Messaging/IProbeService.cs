namespace Cluster.Runtime;

/// <summary>What the network can tell of other silos. Probes travel on the connection that calls use, so they find what calls would.</summary>
public interface IProbeService
{
    /// <summary>
    /// A silo became unreachable: a connection to it broke or could not be made. Not raised after a goodbye. Called on a pool
    /// thread, concurrently; must not block or throw.
    /// </summary>
    event Action<ConnectionLoss>? ConnectionLost;

    /// <summary>Asks a silo for a sign of life, over a new connection if there is none. Never throws for the network's sake.</summary>
    /// <param name="timeout">Longer than zero; connecting included.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<ProbeResult> ProbeAsync(SiloAddress silo, TimeSpan timeout, CancellationToken cancellationToken);
}
