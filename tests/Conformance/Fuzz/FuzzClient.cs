using System.Net.Sockets;
using System.Text;
using Cluster.Tests.Common;

namespace Cluster.Conformance.Fuzz;

/// <summary>Sends cases and judges what comes back, over a few connections.</summary>
internal sealed class FuzzClient : IDisposable
{
    private const int GrpcConnections = 3;
    private const int RestConnections = 12;

    private readonly ServerProcess _server;
    private readonly GrpcClient[] _grpc;
    private readonly HttpClient _rest;

    public FuzzClient(ServerProcess server)
    {
        _server = server;
        _grpc = [.. Enumerable.Range(0, GrpcConnections).Select(_ => new GrpcClient(server.GrpcTarget))];
        _rest = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            MaxConnectionsPerServer = RestConnections,
            AllowAutoRedirect = false,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
        });
    }

    public async Task<Verdict> SendAsync(FuzzCase sent, CancellationToken cancellation) => sent.Channel switch
    {
        Channel.Grpc or Channel.GrpcStream =>
            GrpcOracle.Judge(sent, await _grpc[sent.Number % GrpcConnections].SendAsync(sent.Path, sent.Body, sent.Headers, cancellation)),
        Channel.Rest => RestOracle.Judge(sent, await SendRestAsync(sent, cancellation)),
        Channel.RawHttp => RestOracle.JudgeRaw(await SendRawAsync(_server.HttpPort, sent.Body, cancellation)),
        _ => new Verdict((await SendRawAsync(_server.GrpcPort, sent.Body, cancellation)).Length > 0 ? "frames, then closed" : "closed"),
    };

    public void Dispose()
    {
        _rest.Dispose();
        Array.ForEach(_grpc, client => client.Dispose());
    }

    private async Task<RestAnswer> SendRestAsync(FuzzCase sent, CancellationToken cancellation)
    {
        // The path as it is: the client must not make it better.
        var uri = new Uri(_server.HttpUrl + sent.Path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using var request = new HttpRequestMessage(new HttpMethod(sent.Verb), uri);
        if (sent.Verb is not ("GET" or "HEAD" or "TRACE"))
        {
            request.Content = new ByteArrayContent(sent.Body);
        }

        foreach (var (name, value) in sent.Headers)
        {
            if (!name.StartsWith("Content-", StringComparison.Ordinal) || request.Content is null)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
            else
            {
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var response = await _rest.SendAsync(request, cancellation);
        var body = await response.Content.ReadAsByteArrayAsync(cancellation);
        if (response.Content.Headers.ContentEncoding.Count > 0)
        {
            body = Decompress(body, response.Content.Headers.ContentEncoding.Single());
        }

        int? length = response.Headers.TryGetValues(RestInferClient.JsonLength, out var values)
            ? int.Parse(values.Single(), System.Globalization.CultureInfo.InvariantCulture)
            : null;
        return new RestAnswer((int)response.StatusCode, response.Content.Headers.ContentType?.ToString() ?? "", length, body);
    }

    private static byte[] Decompress(byte[] body, string encoding)
    {
        using var plain = new MemoryStream();
        using Stream packed = encoding == "gzip"
            ? new System.IO.Compression.GZipStream(new MemoryStream(body), System.IO.Compression.CompressionMode.Decompress)
            : new System.IO.Compression.ZLibStream(new MemoryStream(body), System.IO.Compression.CompressionMode.Decompress);
        packed.CopyTo(plain);
        return plain.ToArray();
    }

    /// <summary>Everything that the server says until it closes, which it must once the client has.</summary>
    private static async Task<string> SendRawAsync(int port, byte[] bytes, CancellationToken cancellation)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", port, cancellation);
        var text = new StringBuilder();
        try
        {
            await socket.SendAsync(bytes, cancellation);
            socket.Shutdown(SocketShutdown.Send);
            var buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer, cancellation) is var count and > 0)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, count));
            }
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.NotConnected)
        {
            // A reset is a close.
            return text.ToString();
        }

        return text.ToString();
    }
}
