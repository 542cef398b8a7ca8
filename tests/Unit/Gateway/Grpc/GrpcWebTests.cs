using System.Buffers.Binary;
using System.Net;
using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Google.Protobuf;
using Xunit;
using static Cluster.Unit.Gateway.Grpc.GrpcTestReply;

namespace Cluster.Unit.Gateway.Grpc;

/// <summary>gRPC-Web over HTTP/1.1: the trailers are the last frame, flagged 0x80, and the text form is base64.</summary>
public sealed class GrpcWebTests : IDisposable
{
    private readonly HttpClient _client = new() { DefaultRequestVersion = HttpVersion.Version11 };

    [Theory]
    [InlineData(false, 100)]
    [InlineData(false, 5_000_000)]
    [InlineData(true, 100)]
    [InlineData(true, 5_000_000)]
    public async Task Infer_OverHttp11_IsAnswered(bool text, int length)
    {
        await using var server = await GrpcTestServer.StartAsync(kestrel: limits => limits.MaxRequestBodySize = 1000);
        var sent = Bytes(length);

        var (messages, trailers) = await CallAsync(server, GrpcTestServer.Infer, GrpcTestServer.Request(sent), text);

        Assert.Equal(sent, GrpcTestServer.RawOf(Assert.Single(messages)));
        Assert.Equal("0", trailers["grpc-status"]);
        Assert.Empty(server.Logs.Problems);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ready_Failure_IsTold(bool text)
    {
        var api = GrpcTestServer.Echo();
        api.Error = new ServingException(Failure.Unavailable("not yet", TimeSpan.FromSeconds(1)));
        await using var server = await GrpcTestServer.StartAsync(api);

        var (messages, trailers) = await CallAsync(server, GrpcTestServer.Ready, new ModelReadyRequest { Name = "m" }.ToByteArray(), text);

        Assert.Empty(messages);
        Assert.Equal(("14", "not yet", "1000"), (trailers["grpc-status"], Uri.UnescapeDataString(trailers["grpc-message"]), trailers["grpc-retry-pushback-ms"]));
    }

    public void Dispose() => _client.Dispose();

    private async Task<(List<byte[]> Messages, Dictionary<string, string> Trailers)> CallAsync(GrpcTestServer server, string path, byte[] message, bool text)
    {
        var type = text ? "application/grpc-web-text" : "application/grpc-web";
        var frame = Frame(message);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Http1, path));
        request.Content = new ByteArrayContent(text ? Encoding.ASCII.GetBytes(Convert.ToBase64String(frame)) : frame);
        request.Content.Headers.TryAddWithoutValidation("content-type", type);
        request.Headers.TryAddWithoutValidation("accept", type);
        using var response = await _client.SendAsync(request).WaitAsync(GrpcTestServer.Patience);
        Assert.Equal((HttpStatusCode.OK, type), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        var body = await response.Content.ReadAsByteArrayAsync();
        var messages = new List<byte[]>();
        var trailers = response.Headers.Where(field => field.Key.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase))
            .ToDictionary(field => field.Key, field => field.Value.Single(), StringComparer.OrdinalIgnoreCase);
        var rest = text ? FromBase64(Encoding.ASCII.GetString(body)) : body;
        while (rest.Length > 0)
        {
            var length = (int)BinaryPrimitives.ReadUInt32BigEndian(rest.AsSpan(1));
            var content = rest[5..(5 + length)];
            if (rest[0] == 0x80)
            {
                foreach (var line in Encoding.ASCII.GetString(content).Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
                {
                    trailers.Add(line[..line.IndexOf(':', StringComparison.Ordinal)], line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());
                }
            }
            else
            {
                Assert.Equal(0, rest[0]);
                messages.Add(content);
            }

            rest = rest[(5 + length)..];
        }

        return (messages, trailers);
    }

    /// <summary>Each flush of the server's is base64 by itself, padded.</summary>
    private static byte[] FromBase64(string text)
    {
        var bytes = new List<byte>();
        for (var at = 0; at < text.Length; at += 4)
        {
            bytes.AddRange(Convert.FromBase64String(text.Substring(at, 4)));
        }

        return [.. bytes];
    }
}
