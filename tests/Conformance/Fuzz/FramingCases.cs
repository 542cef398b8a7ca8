using System.Buffers.Binary;
using System.IO.Compression;
using Cluster.Tests.Common;

namespace Cluster.Conformance.Fuzz;

/// <summary>gRPC calls whose message is fine and whose wrapping is not: prefixes, compression, headers.</summary>
internal static class FramingCases
{
    /// <summary>Kind of those cases that the protocol itself wants answered with INTERNAL.</summary>
    public const string FlagWithoutEncoding = "gRPC compressed flag alone";

    /// <summary>Kind of those cases whose prefixes and lengths do not fit; the library answers some with INTERNAL or UNKNOWN.</summary>
    public const string Framing = "gRPC framing";

    private const int BombSize = 4 << 20;

    private static readonly string[] Timeouts =
        ["1n", "1u", "1m", "5S", "0S", "-1S", "", "S", "1", "1x", "99999999H", "123456789S", "1.5S", " 1S", "1S,1S", "18446744073709551616n"];

    private static readonly string[] Encodings = ["", "identity", "gzip", "deflate", "snappy", "gzip, deflate", "GZIP", "br", "zstd", "gzip;q=1"];

    public static FuzzCase Create(Random random, int number, string path, byte[] message) => random.Next(4) switch
    {
        0 => new FuzzCase(number, Channel.Grpc, Framing, "", path, Misframe(random, message)),
        1 => Compressed(random, number, path, message),
        2 => new FuzzCase(number, Channel.Grpc, "gRPC headers", "", path, GrpcFraming.Frame(message)) { Headers = [Header(random)] },
        _ when random.OneIn(2) => new FuzzCase(number, Channel.Grpc, FlagWithoutEncoding, "", path, GrpcFraming.Frame(message, compressed: true)),
        _ => new FuzzCase(number, Channel.Grpc, Framing, "", path, random.Bytes(random.Length())) { Headers = [new("grpc-encoding", "gzip")] },
    };

    private static byte[] Misframe(Random random, byte[] message)
    {
        var framed = GrpcFraming.Frame(message);
        switch (random.Next(7))
        {
            case 0:
                return [];
            case 1:
                return framed[..random.Next(framed.Length)];
            case 2:
                return [.. framed, .. framed];
            case 3:
                return [.. framed, .. random.Bytes(random.Length())];
            case 4:
                BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), (int)random.Extreme());
                return framed;
            case 5:
                framed[0] = (byte)random.Next(2, 256);
                return framed;
            default:
                BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length + random.Next(-9, 10));
                return framed;
        }
    }

    private static FuzzCase Compressed(Random random, int number, string path, byte[] message)
    {
        var gzip = random.OneIn(2);
        var packed = Compress(random.OneIn(20) ? new byte[random.Next(BombSize)] : message, gzip);
        packed = random.Next(5) switch
        {
            0 => packed,
            1 => packed[..random.Next(packed.Length)],
            2 => [.. packed, .. packed],
            3 => random.Bytes(random.Length()),
            _ => ByteMutator.Mutate(random, packed, packed),
        };
        return new FuzzCase(number, Channel.Grpc, "gRPC compression", "", path, GrpcFraming.Frame(packed, compressed: true))
        {
            Headers = [new("grpc-encoding", random.OneIn(8) ? (gzip ? "deflate" : "gzip") : gzip ? "gzip" : "deflate")],
        };
    }

    public static byte[] Compress(byte[] plain, bool gzip)
    {
        using var packed = new MemoryStream();
        using (Stream stream = gzip ? new GZipStream(packed, CompressionLevel.Fastest) : new ZLibStream(packed, CompressionLevel.Fastest))
        {
            stream.Write(plain);
        }

        return packed.ToArray();
    }

    private static KeyValuePair<string, string> Header(Random random) => random.Next(6) switch
    {
        0 => new("grpc-encoding", random.Pick(Encodings)),
        1 => new("grpc-accept-encoding", random.Pick(Encodings)),
        2 => new("x-data-bin", Convert.ToBase64String(random.Bytes(random.Next(100))) + (random.OneIn(2) ? "!" : "")),
        3 => new("x-" + random.Next(1000), new string('v', random.Next(4000))),
        _ => new("grpc-timeout", random.Pick(Timeouts)),
    };
}
