using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>The body of a request to probe another silo.</summary>
internal static class ProbeFormat
{
    public static OutgoingMessage WriteRequest(ulong id, SiloAddress target, TimeSpan timeout)
    {
        var writer = OutgoingMessage.BeginBody();
        writer.WriteMember(0, Codecs.SiloAddress, target);
        writer.WriteMember(1, Codecs.TimeSpan, timeout);
        writer.WriteEnd();
        return OutgoingMessage.Finish(writer, FrameType.ProbeRequest, 0, id, 0, null);
    }

    /// <exception cref="WireFormatException">The bytes make no sense.</exception>
    public static (SiloAddress Target, TimeSpan Timeout) ReadRequest(ReadOnlySpan<byte> body)
    {
        var (target, timeout) = (SiloAddress.Zero, TimeSpan.Zero);
        var reader = new WireReader(body);
        while (reader.TryReadKey(out var id, out var kind))
        {
            switch (id)
            {
                case 0:
                    target = Codecs.SiloAddress.ReadMember(ref reader, kind);
                    break;
                case 1:
                    timeout = Codecs.TimeSpan.ReadMember(ref reader, kind);
                    break;
                default:
                    reader.Skip(kind);
                    break;
            }
        }

        return timeout > TimeSpan.Zero && timeout <= WireLimits.MaxProbeTimeout
            ? (target, timeout)
            : throw new WireFormatException($"a probe may take up to {WireLimits.MaxProbeTimeout}, not {timeout}");
    }
}
