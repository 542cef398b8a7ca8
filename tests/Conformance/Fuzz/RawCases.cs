using System.Text;
using Cluster.Tests.Common;

namespace Cluster.Conformance.Fuzz;

/// <summary>Bytes that no proper client sends: damaged HTTP/1.1 heads and HTTP/2 frames.</summary>
internal static class RawCases
{
    public static FuzzCase Http(Random random, int number)
    {
        var seed = new SeedRequest(random);
        var body = seed.ToJson().ToJsonString();
        var length = random.OneIn(2) ? body.Length + random.Next(-20, 20) : body.Length;
        var framing = random.OneIn(3) ? "Transfer-Encoding: chunked\r\n" : $"Content-Length: {length}\r\n";
        var text = $"POST {seed.Path} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n{body}";
        var bytes = Encoding.UTF8.GetBytes(text);
        return new FuzzCase(number, Channel.RawHttp, "raw HTTP/1.1", "", seed.Path, random.OneIn(3) ? bytes : ByteMutator.Mutate(random, bytes, bytes));
    }

    public static FuzzCase Http2(Random random, int number)
    {
        var frames = new List<byte>();
        frames.AddRange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        AddFrame(frames, type: 4, flags: 0, stream: 0, []);
        var preface = frames.Count;
        AddFrame(frames, type: 1, flags: 4, stream: 1, Headers());
        AddFrame(frames, type: 0, flags: 1, stream: 1, GrpcFraming.Frame(random.Bytes(random.Next(50))));
        var intact = frames.ToArray();
        byte[] bytes = random.OneIn(8) ? ByteMutator.Mutate(random, intact, intact) : [.. intact[..preface], .. ByteMutator.Mutate(random, intact[preface..], intact)];
        return new FuzzCase(number, Channel.RawHttp2, "raw HTTP/2", "", "", bytes);
    }

    private static void AddFrame(List<byte> frames, byte type, byte flags, byte stream, byte[] payload)
    {
        frames.AddRange([0, (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, stream]);
        frames.AddRange(payload);
    }

    /// <summary>The headers of a call, each as a literal that is not indexed.</summary>
    private static byte[] Headers()
    {
        var block = new List<byte>();
        foreach (var (name, value) in new[]
        {
            (":method", "POST"), (":scheme", "http"), (":path", GrpcClient.Inference + "ModelInfer"), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        })
        {
            block.AddRange([0, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), (byte)value.Length, .. Encoding.ASCII.GetBytes(value)]);
        }

        return [.. block];
    }
}
