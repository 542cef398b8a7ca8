using System.Buffers.Binary;
using System.Net;
using Cluster.Contracts.Errors;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Gateway.Grpc;

/// <summary>A response taken apart.</summary>
internal sealed record GrpcTestReply(
    HttpStatusCode Http,
    bool TrailersOnly,
    IReadOnlyDictionary<string, string> Headers,
    IReadOnlyDictionary<string, string> Trailers,
    IReadOnlyList<(bool Compressed, byte[] Bytes)> Messages)
{
    public StatusCode Status => (StatusCode)int.Parse((TrailersOnly ? Headers : Trailers)["grpc-status"]);

    public string Message => (TrailersOnly ? Headers : Trailers).TryGetValue("grpc-message", out var text) ? Uri.UnescapeDataString(text) : "";

    public byte[] Single => Assert.Single(Messages).Bytes;

    public static byte[] Frame(ReadOnlySpan<byte> message, bool compressed = false)
    {
        var frame = new byte[5 + message.Length];
        frame[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)message.Length);
        message.CopyTo(frame.AsSpan(5));
        return frame;
    }

    public static byte[] Frame(IMessage message) => Frame(message.ToByteArray());

    public static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    public static async Task<GrpcTestReply> ReadAsync(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsByteArrayAsync();
        var messages = new List<(bool, byte[])>();
        for (var at = 0; at < body.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt32BigEndian(body.AsSpan(at + 1));
            messages.Add((body[at] == 1, body.AsSpan(at + 5, length).ToArray()));
            at += 5 + length;
        }

        var headers = ToDictionary(response.Headers.Concat(response.Content.Headers));
        return new GrpcTestReply(
            response.StatusCode, headers.ContainsKey("grpc-status"), headers, ToDictionary(response.TrailingHeaders), messages);
    }

    private static Dictionary<string, string> ToDictionary(IEnumerable<KeyValuePair<string, IEnumerable<string>>> fields) =>
        fields.ToDictionary(field => field.Key, field => string.Join(',', field.Value), StringComparer.OrdinalIgnoreCase);
}
