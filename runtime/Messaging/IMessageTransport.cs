using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// Carries calls to other silos: the one seam between callers and the network. A cluster of one silo has none.
/// Called concurrently, also in turns of grains, so it must not block.
/// </summary>
public interface IMessageTransport
{
    /// <summary>Sends a call. Whatever goes wrong later ends the call; nothing is thrown for the network's sake.</summary>
    void Send(SiloAddress silo, GrainCall call);

    /// <summary>False: a call to that silo would fail at once now. Looks at nothing but this process' own knowledge.</summary>
    bool IsReachable(SiloAddress silo) => true;
}
