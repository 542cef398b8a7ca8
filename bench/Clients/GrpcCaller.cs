using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;

namespace Cluster.Bench.Clients;

/// <summary>
/// Single gRPC calls on one HTTP/2 connection through .NET's own client: for management, and for requests whose wait is counted in
/// milliseconds. <see cref="GrpcConnection"/> is what measures rates.
/// </summary>
internal sealed class GrpcCaller : IDisposable
{
    private const string InferPath = "/inference.GRPCInferenceService/ModelInfer";

    private readonly HttpClient _http;

    public GrpcCaller(IPEndPoint server)
    {
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = false })
        {
            BaseAddress = new Uri($"http://{server}"),
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    /// <summary>A call with one message each way.</summary>
    /// <exception cref="InvalidDataException">It did not end with OK.</exception>
    public async Task<T> CallAsync<T>(string path, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        var framed = new byte[GrpcRequest.PrefixSize + request.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), framed.Length - GrpcRequest.PrefixSize);
        request.WriteTo(framed.AsSpan(GrpcRequest.PrefixSize));
        var answer = await SendAsync(path, framed, cancellationToken);
        return parser.ParseFrom(answer.AsSpan(GrpcRequest.PrefixSize));
    }

    /// <summary>Sends a request made by <see cref="GrpcRequest.Build"/>.</summary>
    /// <returns>The answer behind its prefix.</returns>
    /// <exception cref="InvalidDataException">It did not end with OK.</exception>
    public Task<byte[]> InferAsync(byte[] request, CancellationToken cancellationToken) => SendAsync(InferPath, request, cancellationToken);

    public void Dispose() => _http.Dispose();

    private async Task<byte[]> SendAsync(string path, byte[] framed, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative))
        {
            Content = new ByteArrayContent(framed),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.ParseAdd("trailers");
        using var response = await _http.SendAsync(request, cancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        var status = Header(response, "grpc-status");
        var message = Uri.UnescapeDataString(Header(response, "grpc-message"));
        return status == "0" && body.Length >= GrpcRequest.PrefixSize
            ? body
            : throw new InvalidDataException($"HTTP {(int)response.StatusCode}, gRPC status {status}: {message}");
    }

    private static string Header(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out var trailers) ? string.Join(", ", trailers)
        : response.Headers.TryGetValues(name, out var headers) ? string.Join(", ", headers)
        : "";
}
