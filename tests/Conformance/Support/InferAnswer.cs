using System.Globalization;
using System.Text.Json;
using Cluster.Conformance.Clients;
using Cluster.Contracts.Protocol;
using Xunit;

namespace Cluster.Conformance.Support;

/// <summary>A successful answer in one form for every protocol.</summary>
internal sealed record InferAnswer(string Model, string Version, string? Id, IReadOnlyList<Tensor> Outputs, IReadOnlyList<bool> Binary)
{
    public Tensor Output => Assert.Single(Outputs);

    public static InferAnswer Of(GrpcResult<ModelInferResponse> result)
    {
        Assert.True(result.Code == "OK", $"{result.Code}: {result.Details}");
        return Of(result.Response!);
    }

    public static InferAnswer Of(ModelInferResponse response)
    {
        Assert.Equal(response.Outputs.Count, response.RawOutputContents.Count);
        Assert.All(response.Outputs, static output => Assert.Null(output.Contents));
        var outputs = response.Outputs
            .Zip(response.RawOutputContents, static (output, raw) => new Tensor(output.Name, output.Datatype, [.. output.Shape], raw.ToByteArray()))
            .ToList();
        return new InferAnswer(response.ModelName, response.ModelVersion, response.Id, outputs, [.. outputs.Select(static _ => true)]);
    }

    public static InferAnswer Of(HttpResult result)
    {
        Assert.True(result.Status == 200, $"{result.Status} {result.Error} {result.Details}: {Shorten(result)}");
        var hasBinary = result.Headers.TryGetValue("inference-header-content-length", out var length);
        Assert.Equal(hasBinary ? "application/octet-stream" : "application/json", result.Headers["content-type"]);
        var head = hasBinary ? int.Parse(length!, CultureInfo.InvariantCulture) : result.Body.Length;
        var json = JsonSerializer.Deserialize<JsonElement>(result.Body.Span[..head]);
        var rest = result.Body[head..];
        var outputs = new List<Tensor>();
        var binary = new List<bool>();
        foreach (var output in json.GetProperty("outputs").EnumerateArray())
        {
            var datatype = output.GetProperty("datatype").GetString()!;
            byte[] data;
            if (output.TryGetProperty("parameters", out var parameters))
            {
                Assert.False(output.TryGetProperty("data", out _));
                var size = parameters.GetProperty("binary_data_size").GetInt32();
                data = rest[..size].ToArray();
                rest = rest[size..];
                binary.Add(true);
            }
            else
            {
                data = Elements.FromJson(datatype, output.GetProperty("data"));
                binary.Add(false);
            }

            long[] shape = [.. output.GetProperty("shape").EnumerateArray().Select(static dimension => dimension.GetInt64())];
            outputs.Add(new Tensor(output.GetProperty("name").GetString()!, datatype, shape, data));
        }

        Assert.Equal(0, rest.Length);
        Assert.Equal(hasBinary, binary.Contains(true));
        return new InferAnswer(
            json.GetProperty("model_name").GetString()!,
            json.GetProperty("model_version").GetString()!,
            json.TryGetProperty("id", out var id) ? id.GetString() : null,
            outputs,
            binary);
    }

    private static string Shorten(HttpResult result) => result.Text.Length > 400 ? result.Text[..400] : result.Text;
}
