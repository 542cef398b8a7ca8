using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Cluster.Contracts.Errors;
using Google.Protobuf;

namespace Cluster.Tests.Common;

/// <summary>
/// A gRPC client made of HTTP/2 and frames written by hand, so that tests see every byte and can send what no ordinary client would.
/// One connection, with prior knowledge; calls share it as streams.
/// </summary>
public sealed class GrpcClient : IDisposable
{
    /// <summary>Where the inference methods are.</summary>
    public const string Inference = "/inference.GRPCInferenceService/";

    private readonly HttpClient _http;

    /// <param name="target"><c>host:port</c>.</param>
    public GrpcClient(string target)
    {
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = false })
        {
            BaseAddress = new Uri("http://" + target),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>A call with one message; returns the server's answer, errors included.</summary>
    /// <param name="method">The whole path, or a method of the inference service.</param>
    public Task<GrpcAnswer> CallAsync(string method, ReadOnlyMemory<byte> message, CancellationToken cancellationToken = default) =>
        SendAsync(method, GrpcFraming.Frame(message.Span), [], cancellationToken);

    /// <summary>A call with one message and its answer.</summary>
    /// <exception cref="GrpcCallException">The answer is not OK.</exception>
    public async Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken = default)
        where T : IMessage<T>
    {
        var answer = await CallAsync(method, request.ToByteArray(), cancellationToken);
        return answer.Status == StatusCode.Ok ? parser.ParseFrom(answer.Message.Span) : throw new GrpcCallException(answer);
    }

    /// <summary>A call with a body that the caller framed, or did not.</summary>
    /// <param name="headers">Sent as they are, beside those that make a gRPC call.</param>
    /// <exception cref="HttpRequestException">The connection failed, or the server ended the call in another way than by a status.</exception>
    public async Task<GrpcAnswer> SendAsync(
        string method, ReadOnlyMemory<byte> body, IEnumerable<KeyValuePair<string, string>> headers, CancellationToken cancellationToken = default)
    {
        var path = method.StartsWith('/') ? method : Inference + method;
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = new ReadOnlyMemoryContent(body) };
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.ParseAdd("trailers");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var content = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        var metadata = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers).Concat(response.TrailingHeaders))
        {
            metadata[name] = string.Join(", ", values);
        }

        StatusCode? status = metadata.TryGetValue("grpc-status", out var text) ? (StatusCode)int.Parse(text, CultureInfo.InvariantCulture) : null;
        var details = Uri.UnescapeDataString(metadata.GetValueOrDefault("grpc-message", ""));
        return new GrpcAnswer((int)response.StatusCode, status, details, content, metadata);
    }

    public void Dispose() => _http.Dispose();
}
