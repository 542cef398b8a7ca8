using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>What a connection needs of the process's others.</summary>
/// <param name="Redirected">Takes a call whose grain is elsewhere.</param>
/// <param name="ProbeOther">Probes another silo on behalf of the connection's other end. Does not throw.</param>
internal sealed record ConnectionHandlers(Action<GrainCall, GrainAddress> Redirected, Func<SiloAddress, TimeSpan, Task<ProbeOutcome>> ProbeOther);
