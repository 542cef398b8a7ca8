using System.Buffers.Binary;
using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// The first exchange on a connection: magic (4 bytes), length (2), and an object whose unknown members are skipped, so that later
/// versions can say more.
/// </summary>
internal static class Handshake
{
    private const int PrefixLength = 6;

    private static ReadOnlySpan<byte> Magic => "CLM\n"u8;

    public static async Task WriteAsync(Stream stream, Hello hello, CancellationToken cancellationToken)
    {
        await WriteAsync(stream, writer =>
        {
            writer.WriteMember(0, Codecs.Int32, hello.MinVersion);
            writer.WriteMember(1, Codecs.Int32, hello.MaxVersion);
            writer.WriteMember(2, Codecs.Enum<PeerRole>(), hello.Role);
            writer.WriteMember(3, Codecs.String, hello.ClusterId);
            writer.WriteMember(4, Codecs.SiloAddress, hello.Silo);
            writer.WriteMember(5, Codecs.SiloAddress, hello.Target);
        }, cancellationToken).ConfigureAwait(false);
    }

    public static async Task WriteAsync(Stream stream, Welcome welcome, CancellationToken cancellationToken)
    {
        await WriteAsync(stream, writer =>
        {
            writer.WriteMember(0, Codecs.Enum<HandshakeResult>(), welcome.Result);
            writer.WriteMember(1, Codecs.Int32, welcome.Version);
            writer.WriteMember(2, Codecs.String, welcome.Reason);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="WireFormatException">It is no hello.</exception>
    /// <exception cref="EndOfStreamException">There is less.</exception>
    public static async Task<Hello> ReadHelloAsync(Stream stream, CancellationToken cancellationToken) =>
        ParseHello(await ReadAsync(stream, cancellationToken).ConfigureAwait(false));

    /// <exception cref="WireFormatException">It is no welcome.</exception>
    /// <exception cref="EndOfStreamException">There is less.</exception>
    public static async Task<Welcome> ReadWelcomeAsync(Stream stream, CancellationToken cancellationToken) =>
        ParseWelcome(await ReadAsync(stream, cancellationToken).ConfigureAwait(false));

    private static Hello ParseHello(byte[] body)
    {
        var reader = new WireReader(body);
        var hello = new Hello(0, 0, PeerRole.Client, "", SiloAddress.Zero, SiloAddress.Zero);
        while (reader.TryReadKey(out var id, out var kind))
        {
            switch (id)
            {
                case 0:
                    hello = hello with { MinVersion = Codecs.Int32.ReadMember(ref reader, kind) };
                    break;
                case 1:
                    hello = hello with { MaxVersion = Codecs.Int32.ReadMember(ref reader, kind) };
                    break;
                case 2:
                    hello = hello with { Role = Codecs.Enum<PeerRole>().ReadMember(ref reader, kind) };
                    break;
                case 3:
                    hello = hello with { ClusterId = Codecs.String.ReadMember(ref reader, kind) };
                    break;
                case 4:
                    hello = hello with { Silo = Codecs.SiloAddress.ReadMember(ref reader, kind) };
                    break;
                case 5:
                    hello = hello with { Target = Codecs.SiloAddress.ReadMember(ref reader, kind) };
                    break;
                default:
                    reader.Skip(kind);
                    break;
            }
        }

        return hello;
    }

    private static Welcome ParseWelcome(byte[] body)
    {
        var reader = new WireReader(body);
        var welcome = new Welcome(HandshakeResult.OtherSilo, 0, "");
        while (reader.TryReadKey(out var id, out var kind))
        {
            switch (id)
            {
                case 0:
                    welcome = welcome with { Result = Codecs.Enum<HandshakeResult>().ReadMember(ref reader, kind) };
                    break;
                case 1:
                    welcome = welcome with { Version = Codecs.Int32.ReadMember(ref reader, kind) };
                    break;
                case 2:
                    welcome = welcome with { Reason = Codecs.String.ReadMember(ref reader, kind) };
                    break;
                default:
                    reader.Skip(kind);
                    break;
            }
        }

        return welcome;
    }

    private static async Task WriteAsync(Stream stream, Action<WireWriter> write, CancellationToken cancellationToken)
    {
        var writer = new WireWriter();
        try
        {
            Magic.CopyTo(writer.Reserve(PrefixLength));
            write(writer);
            writer.WriteEnd();
            BinaryPrimitives.WriteUInt16LittleEndian(writer.Written[Magic.Length..], (ushort)(writer.Length - PrefixLength));
            await stream.WriteAsync(writer.Written.ToArray(), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            writer.Abandon();
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var prefix = new byte[PrefixLength];
        await stream.ReadExactlyAsync(prefix, cancellationToken).ConfigureAwait(false);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(prefix.AsSpan(Magic.Length));
        if (!prefix.AsSpan().StartsWith(Magic) || length > WireLimits.MaxHandshakeLength)
        {
            throw new WireFormatException("whoever connected does not speak this protocol");
        }

        var body = new byte[length];
        await stream.ReadExactlyAsync(body, cancellationToken).ConfigureAwait(false);
        return body;
    }
}
