using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>Writes and reads the failures of calls. No stack traces: they are the business of the process that has them.</summary>
internal sealed class ExceptionFormat(GrainManifest manifest)
{
    /// <summary>A message longer than this is cut.</summary>
    private const int MaxMessageLength = 16 << 10;

    /// <param name="ran">The grain has begun to run the call: then so much is said, whatever the exception came from.</param>
    public void Write(WireWriter writer, Exception exception, bool ran)
    {
        var codec = manifest.FindException(exception.GetType());
        writer.WriteMember(0, Codecs.Enum<ExceptionKind>(), codec is not null ? ExceptionKind.Serializable : KindOf(exception));
        writer.WriteMember(1, Codecs.String, exception.Message.Length > MaxMessageLength ? exception.Message[..MaxMessageLength] : exception.Message);
        writer.WriteMember(2, Codecs.String, codec?.Alias ?? exception.GetType().FullName ?? "");
        writer.WriteMember(3, Codecs.Boolean, exception is SiloUnavailableException unavailable && (ran || unavailable.MayHaveRun));
        if (codec is not null)
        {
            writer.WriteKey(4, WireKind.Object);
            codec.Write(writer, exception);
            writer.WriteEnd();
        }
    }

    /// <exception cref="WireFormatException">The bytes make no sense.</exception>
    public Exception Read(ref WireReader reader)
    {
        var kind = ExceptionKind.Other;
        var (message, type, mayHaveRun) = ("", "", false);
        Exception? typed = null;
        while (reader.TryReadKey(out var id, out var wireKind))
        {
            switch (id)
            {
                case 0:
                    kind = Codecs.Enum<ExceptionKind>().ReadMember(ref reader, wireKind);
                    break;
                case 1:
                    message = Codecs.String.ReadMember(ref reader, wireKind);
                    break;
                case 2:
                    type = Codecs.String.ReadMember(ref reader, wireKind);
                    break;
                case 3:
                    mayHaveRun = Codecs.Boolean.ReadMember(ref reader, wireKind);
                    break;
                case 4 when wireKind == WireKind.Object && manifest.FindException(type) is { } codec:
                    typed = codec.Read(ref reader);
                    break;
                default:
                    reader.Skip(wireKind);
                    break;
            }
        }

        return typed ?? Create(kind, message, type, mayHaveRun);
    }

    private static ExceptionKind KindOf(Exception exception) => exception switch
    {
        SiloUnavailableException => ExceptionKind.SiloUnavailable,
        TimeoutException => ExceptionKind.Timeout,
        OperationCanceledException => ExceptionKind.Canceled,
        WireFormatException => ExceptionKind.WireFormat,
        _ => ExceptionKind.Other,
    };

    private static Exception Create(ExceptionKind kind, string message, string type, bool mayHaveRun) => kind switch
    {
        ExceptionKind.SiloUnavailable => new SiloUnavailableException(message) { MayHaveRun = mayHaveRun },
        ExceptionKind.Timeout => new TimeoutException(message),
        ExceptionKind.Canceled => new OperationCanceledException(message),
        ExceptionKind.WireFormat => new WireFormatException(message),
        _ => new RemoteException(type, message),
    };
}
