using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Cluster.Bench.Load;

/// <summary>An infer request over HTTP/1.1: JSON both ways, or the binary tensor extension both ways.</summary>
internal sealed class RestInferCall : InferCall
{
    private const string JsonLength = "Inference-Header-Content-Length";

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private readonly Workload _workload;
    private readonly bool _binary;

    public RestInferCall(IPEndPoint server, Workload workload, bool binary)
    {
        (_workload, _binary) = (workload, binary);
        Url = new Uri($"http://{server}/v2/models/{Uri.EscapeDataString(workload.Model)}/infer");
        (Headers, Body) = binary ? Binary(workload) : Json(workload);
    }

    public override Uri Url { get; }

    public override IReadOnlyList<string> Headers { get; }

    public override byte[] Body { get; }

    public override bool IsHttp2 => false;

    public override async Task<long> CheckAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Url) { Content = new ByteArrayContent(Body) };
        foreach (var header in Headers)
        {
            var (name, value) = header.Split(": ", 2) is [var left, var right] ? (left, right) : (header, "");
            _ = request.Content.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _http.SendAsync(request, cancellationToken);
        var answer = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new InvalidDataException($"HTTP {(int)response.StatusCode}: {System.Text.Encoding.UTF8.GetString(answer)}");
        }

        _workload.Check(_binary ? BinaryOutput(answer, response.Headers, response.Content.Headers) : JsonOutput(answer));
        return answer.Length;
    }

    public override void Dispose() => _http.Dispose();

    private static (IReadOnlyList<string> Headers, byte[] Body) Json(Workload workload) => (
        ["content-type: application/json"],
        JsonSerializer.SerializeToUtf8Bytes(new
        {
            inputs = new[] { new { name = workload.InputName, shape = workload.Shape, datatype = "FP32", data = workload.Input } },
        }));

    private static (IReadOnlyList<string> Headers, byte[] Body) Binary(Workload workload)
    {
        var input = MemoryMarshal.AsBytes<float>(workload.Input);
        var json = JsonSerializer.SerializeToUtf8Bytes(new
        {
            inputs = new[]
            {
                new { name = workload.InputName, shape = workload.Shape, datatype = "FP32", parameters = new { binary_data_size = input.Length } },
            },
            outputs = new[] { new { name = workload.OutputName, parameters = new { binary_data = true } } },
        });
        return (
            ["content-type: application/octet-stream", string.Create(CultureInfo.InvariantCulture, $"{JsonLength}: {json.Length}")],
            [.. json, .. input]);
    }

    private static ReadOnlySpan<byte> BinaryOutput(byte[] answer, params ReadOnlySpan<HttpHeaders> headers)
    {
        foreach (var some in headers)
        {
            if (some.TryGetValues(JsonLength, out var values))
            {
                return answer.AsSpan(int.Parse(values.Single(), CultureInfo.InvariantCulture));
            }
        }

        throw new InvalidDataException("the answer carries no binary output, though one was asked for");
    }

    private static ReadOnlySpan<byte> JsonOutput(byte[] answer)
    {
        using var document = JsonDocument.Parse(answer);
        var data = document.RootElement.GetProperty("outputs")[0].GetProperty("data");
        return MemoryMarshal.AsBytes<float>(data.EnumerateArray().Select(static number => number.GetSingle()).ToArray());
    }
}
