using System.Net;
using Cluster.Bench.Load;

namespace Cluster.Bench.Serving;

/// <summary>Sends a model's request over gRPC or REST on several connections and says what is against it.</summary>
internal sealed class LoadClient : IDisposable
{
    /// <summary>Of gRPC: one carries 100 requests at once before the next waits here.</summary>
    private const int Connections = 8;

    private readonly GrpcClient[] _grpc;
    private readonly HttpClient? _http;
    private readonly Uri? _url;
    private readonly ServedModel _model;
    private readonly byte[] _message;
    private int _next;

    /// <param name="http">Null for gRPC.</param>
    public LoadClient(IPEndPoint grpc, IPEndPoint? http, ServedModel model)
    {
        _model = model;
        _message = model.ToMessage();
        _grpc = http is null ? [.. Enumerable.Range(0, Connections).Select(_ => new GrpcClient(grpc))] : [];
        _http = http is null ? null : new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(2) };
        _url = http is null ? null : new Uri($"http://{http}/v2/models/{Uri.EscapeDataString(model.Name)}/infer");
    }

    public string Protocol => _http is null ? "grpc" : "rest";

    /// <returns>Null for an answer, else its status.</returns>
    public Task<string?> SendAsync(CancellationToken cancellationToken) => _http is null
        ? _grpc[(uint)Interlocked.Increment(ref _next) % (uint)_grpc.Length].TryInferAsync(_message, cancellationToken)
        : SendRestAsync(_http, cancellationToken);

    public void Dispose()
    {
        Array.ForEach(_grpc, static client => client.Dispose());
        _http?.Dispose();
    }

    private async Task<string?> SendRestAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            using var content = _model.ToContent();
            using var answer = await http.PostAsync(_url, content, cancellationToken);
            await answer.Content.CopyToAsync(Stream.Null, cancellationToken);
            return answer.IsSuccessStatusCode ? null : $"HTTP {(int)answer.StatusCode}";
        }
        catch (HttpRequestException failure)
        {
            return $"HTTP: {failure.HttpRequestError}";
        }
    }
}
