using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cluster.Tests.Common;

/// <summary>Inference over REST with binary tensors.</summary>
public sealed class RestInferClient(string url) : IInferClient
{
    /// <summary>The header that says where the JSON ends and the binary tensors begin.</summary>
    public const string JsonLength = "Inference-Header-Content-Length";

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(url) };

    /// <summary>The JSON in front, and the whole body.</summary>
    public static (byte[] Json, byte[] Body) Request(IReadOnlyList<RawTensor> inputs)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(new JsonObject
        {
            ["parameters"] = new JsonObject { ["binary_data_output"] = true },
            ["inputs"] = new JsonArray([.. inputs.Select(Describe)]),
        });
        return (json, [.. json, .. inputs.SelectMany(input => input.Bytes.ToArray())]);
    }

    /// <summary>The tensors of a binary answer.</summary>
    public static IReadOnlyList<RawTensor> Outputs(ReadOnlyMemory<byte> body, int jsonLength)
    {
        using var json = JsonDocument.Parse(body[..jsonLength]);
        var outputs = new List<RawTensor>();
        var position = jsonLength;
        foreach (var output in json.RootElement.GetProperty("outputs").EnumerateArray())
        {
            var size = output.GetProperty("parameters").GetProperty("binary_data_size").GetInt32();
            outputs.Add(new RawTensor(
                output.GetProperty("name").GetString()!,
                output.GetProperty("datatype").GetString()!,
                [.. output.GetProperty("shape").EnumerateArray().Select(dimension => dimension.GetInt64())],
                body.Slice(position, size)));
            position += size;
        }

        return position == body.Length ? outputs : throw new InvalidDataException($"the answer has {body.Length} bytes, its outputs end at {position}");
    }

    public async Task<IReadOnlyList<RawTensor>> InferAsync(string model, IReadOnlyList<RawTensor> inputs, CancellationToken cancellationToken = default)
    {
        var (json, body) = Request(inputs);
        using var content = new ByteArrayContent(body);
        content.Headers.Add(JsonLength, json.Length.ToString(CultureInfo.InvariantCulture));
        using var answer = await _http.PostAsync(new Uri($"v2/models/{model}/infer", UriKind.Relative), content, cancellationToken);
        var bytes = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"HTTP {(int)answer.StatusCode}: {System.Text.Encoding.UTF8.GetString(bytes)}");
        }

        var length = answer.Headers.Concat(answer.Content.Headers).Single(header => header.Key.Equals(JsonLength, StringComparison.OrdinalIgnoreCase));
        return Outputs(bytes, int.Parse(length.Value.Single(), CultureInfo.InvariantCulture));
    }

    public void Dispose() => _http.Dispose();

    private static JsonObject Describe(RawTensor tensor) => new()
    {
        ["name"] = tensor.Name,
        ["datatype"] = tensor.Datatype,
        ["shape"] = new JsonArray([.. tensor.Shape.Select(dimension => JsonValue.Create(dimension))]),
        ["parameters"] = new JsonObject { ["binary_data_size"] = tensor.Bytes.Length },
    };
}
