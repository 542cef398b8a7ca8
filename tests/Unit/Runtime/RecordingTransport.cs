using Cluster.Runtime.CodeGeneration;

namespace Cluster.Unit.Runtime;

/// <summary>A network that keeps what is sent.</summary>
internal sealed class RecordingTransport(TestProbe probe) : IMessageTransport
{
    public void Send(SiloAddress silo, GrainCall call) => probe.Record($"{call.Target} {call.Method.Name} to {silo}");
}
