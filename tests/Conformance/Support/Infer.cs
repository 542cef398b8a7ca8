using System.Globalization;
using System.Text;
using System.Text.Json;
using Cluster.Conformance.Clients;
using Cluster.Contracts.Protocol;
using Google.Protobuf;

namespace Cluster.Conformance.Support;

/// <summary>An inference request, to be sent in any of the protocol's forms.</summary>
internal sealed record Infer(string Model, params Tensor[] Inputs)
{
    public const string JsonLengthHeader = "Inference-Header-Content-Length";

    public string Version { get; init; } = "";

    public string Id { get; init; } = "";

    public RequestedOutput[] Outputs { get; init; } = [];

    /// <summary>REST's request parameter <c>binary_data_output</c>; null: not sent.</summary>
    public bool? BinaryOutput { get; init; }

    /// <summary>gRPC with <c>raw_input_contents</c>.</summary>
    public ModelInferRequest Raw()
    {
        var request = Head();
        request.RawInputContents.Add(Inputs.Select(static input => ByteString.CopyFrom(input.Data)));
        return request;
    }

    /// <summary>gRPC with <c>contents</c>.</summary>
    public ModelInferRequest Typed()
    {
        var request = Head();
        for (var i = 0; i < Inputs.Length; i++)
        {
            request.Inputs[i].Contents = Elements.Typed(Inputs[i]);
        }

        return request;
    }

    /// <summary>The path of the request.</summary>
    public string Path => Version.Length == 0 ? $"/v2/models/{Model}/infer" : $"/v2/models/{Model}/versions/{Version}/infer";

    /// <summary>REST with all inputs in JSON.</summary>
    public HttpCall Json(string server, bool nested = false) =>
        new("POST", server + Path) { Body = Encoding.UTF8.GetBytes(Text(input => $"\"data\":{Elements.Json(input, nested)}")) };

    /// <summary>REST with all inputs, or those in <paramref name="names"/>, as binary data.</summary>
    public HttpCall Binary(string server, params string[] names)
    {
        var json = Encoding.UTF8.GetBytes(Text(input => IsBinary(input)
            ? string.Create(CultureInfo.InvariantCulture, $"\"parameters\":{{\"binary_data_size\":{input.Data.Length}}}")
            : $"\"data\":{Elements.Json(input, nested: false)}"));
        return new HttpCall("POST", server + Path)
        {
            Headers = [new(JsonLengthHeader, json.Length.ToString(CultureInfo.InvariantCulture))],
            Body = (byte[])[.. json, .. Inputs.Where(IsBinary).SelectMany(static input => input.Data)],
        };

        bool IsBinary(Tensor input) => names.Length == 0 || names.Contains(input.Name);
    }

    private ModelInferRequest Head()
    {
        var request = new ModelInferRequest { ModelName = Model, ModelVersion = Version, Id = Id };
        request.Inputs.Add(Inputs.Select(static input =>
            new ModelInferRequest.Types.InferInputTensor { Name = input.Name, Datatype = input.Datatype, Shape = { input.Shape } }));
        foreach (var output in Outputs)
        {
            var requested = new ModelInferRequest.Types.InferRequestedOutputTensor { Name = output.Name };
            if (output.Classification is { } classes)
            {
                requested.Parameters["classification"] = new InferParameter { Int64Param = classes };
            }

            request.Outputs.Add(requested);
        }

        return request;
    }

    private string Text(Func<Tensor, string> data)
    {
        var members = new List<string>();
        if (Id.Length > 0)
        {
            members.Add($"\"id\":{JsonSerializer.Serialize(Id)}");
        }

        if (BinaryOutput is { } binary)
        {
            members.Add($"\"parameters\":{{\"binary_data_output\":{Bool(binary)}}}");
        }

        members.Add($"\"inputs\":[{string.Join(',', Inputs.Select(input =>
            $"{{\"name\":{JsonSerializer.Serialize(input.Name)},\"datatype\":\"{input.Datatype}\",\"shape\":[{string.Join(',', input.Shape)}],{data(input)}}}"))}]");
        if (Outputs.Length > 0)
        {
            members.Add($"\"outputs\":[{string.Join(',', Outputs.Select(Text))}]");
        }

        return $"{{{string.Join(',', members)}}}";
    }

    private static string Text(RequestedOutput output)
    {
        var parameters = new List<string>();
        if (output.Binary is { } binary)
        {
            parameters.Add($"\"binary_data\":{Bool(binary)}");
        }

        if (output.Classification is { } classes)
        {
            parameters.Add(string.Create(CultureInfo.InvariantCulture, $"\"classification\":{classes}"));
        }

        return parameters.Count == 0
            ? $"{{\"name\":\"{output.Name}\"}}"
            : $"{{\"name\":\"{output.Name}\",\"parameters\":{{{string.Join(',', parameters)}}}}}";
    }

    private static string Bool(bool value) => value ? "true" : "false";
}

/// <summary>An output that a request names. Null members are not sent.</summary>
internal sealed record RequestedOutput(string Name, bool? Binary = null, long? Classification = null);
